package layout

// Screen is how large and how fast a composed or transcoded picture is.
type Screen struct {
	Width, Height int
	FPS           float64
	Bitrate       int // bit/s
}

// Limits is what somebody takes.
type Limits struct {
	Macroblocks   int // of a picture
	PerSecond     int // macroblocks a second
	FPS           float64
	Bitrate       int  // bit/s
	CIF           bool // sizes of the CIF family alone, up to Width
	Width, Height int  // bounds; 0 = none
}

// screens are the sizes to choose from, with the bit rates below which a
// smaller one looks better, and beyond which none looks better.
var screens = []struct {
	w, h        int
	least, most int
	cif         bool
}{
	{1280, 720, 700_000, 2_000_000, false},
	{1024, 576, 500_000, 1_500_000, false},
	{704, 576, 450_000, 1_500_000, true},
	{640, 360, 300_000, 1_000_000, false},
	{512, 288, 200_000, 768_000, false},
	{352, 288, 96_000, 512_000, true},
	{176, 144, 0, 128_000, true},
}

// classes are the bit rates there are, so that legs of about the same share
// one encoder.
var classes = []int{4_000_000, 3_000_000, 2_000_000, 1_500_000, 1_000_000, 768_000, 512_000, 384_000, 256_000, 192_000, 128_000, 96_000, 64_000, 48_000, 32_000}

// rates are the frame rates there are.
var rates = []float64{30, 25, 15, 10, 7.5, 5}

// Choose finds the best screen within limits. Every limit, however low, has
// one: the smallest is given where none fits.
func (l Limits) Choose() Screen {
	for i, s := range screens {
		mbs := (s.w + 15) / 16 * ((s.h + 15) / 16)
		last := i == len(screens)-1
		small := s.w <= 352 // where all codecs and levels meet
		switch {
		case last:
		case l.CIF && !s.cif, !l.CIF && s.cif && !small:
			continue
		case l.Width > 0 && (s.w > l.Width || s.h > l.Height), l.Macroblocks > 0 && mbs > l.Macroblocks:
			continue
		case l.Bitrate > 0 && l.Bitrate < s.least:
			continue
		case l.PerSecond > 0 && l.PerSecond < mbs*10 && !small:
			continue
		}
		return Screen{s.w, s.h, l.rate(mbs), l.class(s.most)}
	}
	return Screen{}
}

// TextRate is how often what is read is drawn anew: it needs sharpness, not motion.
const TextRate = 7.5

// The largest page that is coded, 1920x1088, and the bit rate beyond which it looks no better.
const (
	pageMacroblocks = 8160
	pageBitrate     = 4_000_000
)

// Text is the screen for pages of a size: the size itself where the limits allow, for letters
// that were scaled are hard to read.
func (l Limits) Text(w, h int) Screen {
	s := l.Choose()
	mbs := (w + 15) / 16 * ((h + 15) / 16)
	fits := !l.CIF && mbs <= pageMacroblocks && (l.Macroblocks == 0 || mbs <= l.Macroblocks) &&
		(l.Width == 0 || w <= l.Width && h <= l.Height) &&
		(l.PerSecond == 0 || float64(mbs)*rates[len(rates)-1] <= float64(l.PerSecond))
	if fits {
		s.Width, s.Height, s.FPS = w, h, l.rate(mbs)
		if mbs > screenMacroblocks {
			s.Bitrate = l.class(pageBitrate)
		}
	}
	s.FPS = min(s.FPS, TextRate)
	return s
}

// screenMacroblocks are those of the largest screen that is composed, 1280x720.
const screenMacroblocks = 3600

func (l Limits) rate(mbs int) float64 {
	for _, r := range rates {
		if (l.FPS == 0 || r <= l.FPS+0.5) && (l.PerSecond == 0 || r*float64(mbs) <= float64(l.PerSecond)) {
			return r
		}
	}
	return rates[len(rates)-1]
}

// class is the highest within the limit, and within what helps.
func (l Limits) class(most int) int {
	for _, c := range classes {
		if c <= most && (l.Bitrate == 0 || c <= l.Bitrate) {
			return c
		}
	}
	return classes[len(classes)-1]
}
