package mixer_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/media/tone"
	"github.com/roomgate/roomgate/transcode"
)

var (
	pcmu = media.Format{Codec: media.PCMU, ClockRate: 8000}
	pcma = media.Format{Codec: media.PCMA, ClockRate: 8000}
	g722 = media.Format{Codec: media.G722, ClockRate: 8000}
	opus = media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2}

	siren7  = media.Format{Codec: media.G7221, ClockRate: 16000, Bitrate: 32000}
	siren14 = media.Format{Codec: media.G7221, ClockRate: 32000, Bitrate: 48000}
)

// world is a meeting in simulated time: it moves by milliseconds, and the
// mixer ticks at every twentieth.
type world struct {
	t       testing.TB
	now     time.Time
	clock   *mixer.Clock
	mixer   *mixer.Mixer
	sources []*source
	millis  int
}

func newWorld(t testing.TB, c mixer.Config) *world {
	w := &world{t: t, now: time.Unix(1_000_000, 0), clock: mixer.NewManualClock()}
	if c.Codecs == nil {
		c.Codecs = &transcode.Codecs{}
	}
	c.Clock, c.Now = w.clock, func() time.Time { return w.now }
	w.mixer = mixer.New(c)
	t.Cleanup(w.mixer.Close)
	return w
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	for range d.Milliseconds() {
		w.now = w.now.Add(time.Millisecond)
		w.millis++
		for _, s := range w.sources {
			s.advance(w.now)
		}
		if w.millis%20 == 0 {
			w.clock.Tick()
		}
	}
}

// source sends a sound as a terminal does.
type source struct {
	w       *world
	to      media.Writer
	encoder mixer.Encoder
	sound   func(pcm []int16) // makes the next samples
	format  media.Format
	ptime   time.Duration
	period  time.Duration // between packets; ptime unless the clock drifts
	next    time.Time
	delay   func(i int) time.Duration // of packet i in the network
	lose    func(i int) bool
	level   func(i int) (uint8, bool) // RFC 6464
	sent    int
	packet  rtp.Packet
	transit []arrival
	pcm     []int16
}

type arrival struct {
	at     time.Time
	packet *rtp.Packet
}

func (w *world) source(to media.Writer, f media.Format, sound func([]int16)) *source {
	rate := int(f.ClockRate)
	if f.Codec == media.G722 {
		rate = 16000
	}
	e, err := (&transcode.Codecs{}).NewEncoder(f, rate)
	if err != nil {
		w.t.Fatal(err)
	}
	s := &source{w: w, to: to, encoder: e, sound: sound, format: f, ptime: f.PacketDuration(), period: f.PacketDuration(), next: w.now.Add(3 * time.Millisecond)}
	s.packet.SequenceNumber, s.packet.Timestamp = 65500, 0xffff0000 // both wrap soon
	s.pcm = make([]int16, int(s.ptime*time.Duration(e.Rate())/time.Second))
	w.sources = append(w.sources, s)
	return s
}

func (s *source) advance(now time.Time) {
	for !s.next.After(now) {
		s.send()
		s.next = s.next.Add(s.period)
	}
	for len(s.transit) > 0 && !s.transit[0].at.After(now) {
		p := s.transit[0].packet
		s.transit = s.transit[1:]
		if err := s.to.WriteRTP(p); err != nil {
			s.w.t.Errorf("packet: %v", err)
		}
	}
}

func (s *source) send() {
	if s.sound == nil {
		s.packet.Timestamp += uint32(s.ptime * time.Duration(s.format.ClockRate) / time.Second)
		return // silence suppressed
	}
	s.sound(s.pcm)
	payload := make([]byte, 1500)
	n, err := s.encoder.Encode(payload, s.pcm)
	if err != nil {
		s.w.t.Fatal(err)
	}
	s.packet.Payload = payload[:n]
	p := s.packet.Clone()
	if s.level != nil {
		if b, ok := s.level(s.sent); ok {
			if err := p.SetExtension(media.AudioLevelID, []byte{b}); err != nil {
				s.w.t.Fatal(err)
			}
		}
	}
	s.packet.SequenceNumber++
	s.packet.Timestamp += uint32(s.ptime * time.Duration(s.format.ClockRate) / time.Second)
	i := s.sent
	s.sent++
	if s.lose != nil && s.lose(i) {
		return
	}
	at := s.next
	if s.delay != nil {
		at = at.Add(s.delay(i))
	}
	s.transit = append(s.transit, arrival{at, p})
	slices.SortStableFunc(s.transit, func(a, b arrival) int { return a.at.Compare(b.at) })
}

// sine is a tone; rate is the one the source encodes at.
func sine(rate int, hz, dbfs float64) func([]int16) {
	return tone.NewGenerator(rate, hz, dbfs).Read
}

// listener decodes what a track brings, and checks its packets.
type listener struct {
	t       testing.TB
	decoder mixer.Decoder // nil: what comes is counted, not heard
	format  media.Format
	heard   []int16
	packets int
	levels  []uint8
	sizes   []int
	last    rtp.Header
	breaks  int // sequence or timestamp not as after the last packet
	skips   int // timestamps ahead of the last packet's end
	buf     [5760]int16
}

func listen(t testing.TB, track media.Track) *listener {
	f := track.Format()
	rate := int(f.ClockRate)
	d, err := (&transcode.Codecs{}).NewDecoder(f, rate)
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{t: t, decoder: d, format: f}
	t.Cleanup(track.Attach(l))
	return l
}

func (l *listener) WriteRTP(p *rtp.Packet) error {
	n := 0
	if l.decoder != nil {
		var err error
		if n, err = l.decoder.Decode(l.buf[:], p.Payload); err != nil {
			l.t.Errorf("packet %d: %v", l.packets, err)
			return err
		}
	}
	if l.packets > 0 {
		step := uint32(l.format.PacketDuration() * time.Duration(l.format.ClockRate) / time.Second)
		switch {
		case p.SequenceNumber != l.last.SequenceNumber+1:
			l.breaks++
		case p.Timestamp == l.last.Timestamp+step:
		case int32(p.Timestamp-l.last.Timestamp-step) > 0:
			l.skips++
		default:
			l.breaks++
		}
	}
	l.last = p.Header
	l.packets++
	l.heard = append(l.heard, l.buf[:n]...)
	l.sizes = append(l.sizes, n)
	if ext := p.GetExtension(media.AudioLevelID); len(ext) == 1 {
		l.levels = append(l.levels, ext[0])
	} else {
		l.t.Errorf("packet %d has no audio level", l.packets)
	}
	return nil
}

// tail measures the last part of what was heard.
func (l *listener) tail(d time.Duration) tone.Measurement {
	n := int(d * time.Duration(l.decoder.Rate()) / time.Second)
	if len(l.heard) < n {
		l.t.Errorf("only %d of %d samples were heard", len(l.heard), n)
		return tone.Measurement{}
	}
	return tone.Measure(l.heard[len(l.heard)-n:], l.decoder.Rate())
}

// share is the part of the power of the last d that lies at a frequency.
func (l *listener) share(d time.Duration, hz float64) float64 {
	n := int(d * time.Duration(l.decoder.Rate()) / time.Second)
	return shareOf(l.heard[max(0, len(l.heard)-n):], l.decoder.Rate(), hz)
}

func (w *world) input(id string, f media.Format) *mixer.Input {
	in, err := w.mixer.AddInput(mixer.InputConfig{ID: id, Format: f})
	if err != nil {
		w.t.Fatal(err)
	}
	return in
}

func (w *world) output(id string, f media.Format, exclude *mixer.Input) *mixer.Output {
	out, err := w.mixer.AddOutput(mixer.OutputConfig{ID: id, Format: f, Exclude: exclude})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func dice() *rand.Rand { return rand.New(rand.NewPCG(7, 11)) }
