package g7221

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/roomgate/roomgate/media/tone"
)

func TestModes(t *testing.T) {
	for _, tc := range []struct {
		mode           Mode
		valid          bool
		samples, bytes int
	}{
		{Mode{16000, 24000}, true, 320, 60},
		{Mode{16000, 32000}, true, 320, 80},
		{Mode{16000, 16000}, true, 320, 40},
		{Mode{32000, 24000}, true, 640, 60},
		{Mode{32000, 32000}, true, 640, 80},
		{Mode{32000, 48000}, true, 640, 120},
		{Mode{16000, 48000}, false, 0, 0},
		{Mode{32000, 16000}, false, 0, 0},
		{Mode{16000, 24100}, false, 0, 0},
		{Mode{8000, 24000}, false, 0, 0},
		{Mode{}, false, 0, 0},
	} {
		if tc.mode.Valid() != tc.valid {
			t.Errorf("%v: valid is %v", tc.mode, !tc.valid)
		}
		_, errE := NewEncoder(tc.mode)
		_, errD := NewDecoder(tc.mode)
		if !tc.valid {
			if !errors.Is(errE, ErrMode) || !errors.Is(errD, ErrMode) {
				t.Errorf("%v: %v, %v", tc.mode, errE, errD)
			}
			continue
		}
		if errE != nil || errD != nil || tc.mode.Samples() != tc.samples || tc.mode.Bytes() != tc.bytes {
			t.Errorf("%v: %d samples, %d bytes, %v, %v", tc.mode, tc.mode.Samples(), tc.mode.Bytes(), errE, errD)
		}
	}
}

func TestTransform(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, tr := range []*transform{transform320, transform640} {
		in, out := make([]float64, tr.n), make([]float64, tr.n)
		for i := range in {
			in[i] = r.NormFloat64()
		}
		copy(out, in)
		var work [2][maxSamples / 2]complex128
		tr.dct(out, &work)
		for k := range out {
			sum := 0.0
			for i, v := range in {
				sum += v * math.Cos(math.Pi/float64(tr.n)*(float64(i)+0.5)*(float64(k)+0.5))
			}
			if want := sum * math.Sqrt(2/float64(tr.n)); math.Abs(out[k]-want) > 1e-11 {
				t.Fatalf("%d: coefficient %d is %v, not %v", tr.n, k, out[k], want)
			}
		}
		fallen, risen := make([]float64, tr.n/2), make([]float64, tr.n/2)
		tr.fall(fallen, in)
		tr.rise(risen, in)
		tr.unfold(out, fallen, risen)
		for i := range out {
			if math.Abs(out[i]-in[i]) > 1e-12 {
				t.Fatalf("%d: sample %d is %v, not %v", tr.n, i, out[i], in[i])
			}
		}
	}
}

// Every vector that can be coded is decoded as itself, or as the one whose code
// it shares, which has as many signs.
func TestCodes(t *testing.T) {
	signs := func(c, number int) (n int) {
		for ; number > 0; number /= shapes[c].most + 1 {
			if number%(shapes[c].most+1) > 0 {
				n++
			}
		}
		return n
	}
	check := func(name string, codes []code, tree tree, signs func(int) int) {
		first := map[code]int{}
		sum := 0.0
		for number, c := range codes {
			if _, known := first[c]; !known {
				first[c] = number
				sum += math.Pow(2, -float64(c.length()))
			}
			data := make([]byte, 4)
			w := bitWriter{data: data}
			w.write(c.bits(), c.length())
			r := newBitReader(data)
			if got := tree.read(&r); got != first[c] || r.at != c.length() || signs(got) != signs(number) {
				t.Errorf("%s: %d is read as %d in %d bits", name, number, got, r.at)
			}
		}
		if sum != 1 {
			t.Errorf("%s: the codes fill %v", name, sum)
		}
	}
	for c, codes := range vectorCodes {
		check(fmt.Sprintf("category %d", c), codes, vectorTrees[c], func(n int) int { return signs(c, n) })
	}
	for r := range envelopeCodes {
		check(fmt.Sprintf("region %d", r+1), envelopeCodes[r][:], envelopeTrees[r], func(int) int { return 0 })
	}
}

// Silence, the loudest and the strangest of sounds give frames that decode.
func TestExtremes(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	sounds := map[string]func(i int) int16{
		"silence": func(int) int16 { return 0 },
		"least":   func(i int) int16 { return int16(i & 1) },
		"square":  func(i int) int16 { return int16(32767 - 65535*(i/40%2)) },
		"noise":   func(int) int16 { return int16(r.Uint32()) },
		"click": func(i int) int16 {
			if i == 1000 {
				return math.MaxInt16
			}
			return 0
		},
		"alternating": func(i int) int16 { return int16(1-i%2*2) * 32767 },
	}
	for _, m := range standard {
		for name, sound := range sounds {
			pcm := make([]int16, 10*m.Samples())
			for i := range pcm {
				pcm[i] = sound(i)
			}
			coded := encode(t, m, pcm)
			d, err := NewDecoder(m)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(coded); i += m.Bytes() {
				if _, ok := d.coefficients(coded[i : i+m.Bytes()]); !ok {
					t.Errorf("%v: %s: frame %d cannot be one", m, name, i/m.Bytes())
				}
			}
			if name == "silence" {
				for i, v := range decode(t, m, coded) {
					if v < -2 || v > 2 {
						t.Fatalf("%v: silence has %d at %d", m, v, i)
					}
				}
			}
		}
	}
}

func TestLengths(t *testing.T) {
	for _, m := range standard {
		sound, coded, _ := vectors(t, m)
		pcm := make([]int16, 10*m.Samples())
		d, err := NewDecoder(m)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 2 * m.Bytes() {
			if _, err := d.Decode(pcm, coded[:n]); n != m.Bytes() && !errors.Is(err, ErrLength) {
				t.Errorf("%v: %d bytes: %v", m, n, err)
			}
		}
		if _, err := d.Decode(pcm, coded[:11*m.Bytes()]); !errors.Is(err, ErrShort) {
			t.Errorf("%v: eleven frames into ten: %v", m, err)
		}
		e, err := NewEncoder(m)
		if err != nil {
			t.Fatal(err)
		}
		payload := make([]byte, 2*m.Bytes())
		for _, n := range []int{0, 1, m.Samples() - 1, m.Samples() + 1} {
			if _, err := e.Encode(payload, sound[:n]); !errors.Is(err, ErrLength) {
				t.Errorf("%v: %d samples: %v", m, n, err)
			}
		}
		if _, err := e.Encode(payload, sound[:3*m.Samples()]); !errors.Is(err, ErrShort) {
			t.Errorf("%v: three frames into two: %v", m, err)
		}
		// Frames of one packet decode like those of three.
		whole, apart := decode(t, m, coded[:3*m.Bytes()]), []int16{}
		if d, err = NewDecoder(m); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			n, err := d.Decode(pcm, coded[i*m.Bytes():(i+1)*m.Bytes()])
			if err != nil {
				t.Fatal(err)
			}
			apart = append(apart, pcm[:n]...)
		}
		if likeness(whole, apart, 0) < 100 {
			t.Errorf("%v: frames of one packet differ from those of three", m)
		}
	}
}

func TestCopyState(t *testing.T) {
	for _, m := range standard {
		sound, _, _ := vectors(t, m)
		one, errOne := NewEncoder(m)
		two, errTwo := NewEncoder(m)
		if errOne != nil || errTwo != nil {
			t.Fatal(errOne, errTwo)
		}
		a, b := make([]byte, 120), make([]byte, 120)
		for i := 0; i+m.Samples() <= len(sound); i += m.Samples() {
			if i == 10*m.Samples() {
				if err := two.CopyState(one); err != nil {
					t.Fatal(err)
				}
			}
			n, errA := one.Encode(a, sound[i:i+m.Samples()])
			if i < 10*m.Samples() {
				continue
			}
			k, errB := two.Encode(b, sound[i:i+m.Samples()])
			if errA != nil || errB != nil || !bytes.Equal(a[:n], b[:k]) {
				t.Fatalf("%v: frame %d differs", m, i/m.Samples())
			}
		}
	}
	a, _ := NewEncoder(Mode{16000, 24000})
	b, _ := NewEncoder(Mode{16000, 32000})
	if err := a.CopyState(b); !errors.Is(err, ErrMode) {
		t.Errorf("the state of another mode: %v", err)
	}
}

// In a tone every tenth frame is lost or damaged: neither is heard as a click
// or a gap, and what follows is whole from its first sample.
func TestConcealment(t *testing.T) {
	for _, m := range standard {
		for _, damaged := range []bool{false, true} {
			sound := make([]int16, 2*m.Rate)
			tone.NewGenerator(m.Rate, 440, -10).Read(sound)
			coded := encode(t, m, sound)
			whole := decode(t, m, coded)
			d, err := NewDecoder(m)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]int16, len(whole))
			for i := 0; i*m.Bytes() < len(coded); i++ {
				frame := coded[i*m.Bytes() : (i+1)*m.Bytes()]
				out := got[i*m.Samples() : (i+1)*m.Samples()]
				switch {
				case i%10 != 9:
				case damaged:
					clear(frame)
				default:
					d.Conceal(out)
					continue
				}
				if _, err := d.Decode(out, frame); err != nil {
					t.Fatal(err)
				}
				// The frame after a hole, without the 5 ms that are blended.
				if at := i*m.Samples() + m.Rate/200; i > 20 && i%10 == 0 {
					n := m.Samples() - m.Rate/200
					if db := likeness(whole[at:at+n], got[at:at+n], 0); db < 12 {
						t.Fatalf("%v: after a hole %.1f dB", m, db)
					}
				}
			}
			r := tone.Measure(got[m.Rate/2:], m.Rate)
			if math.Abs(r.Frequency-440) > 1 || r.Purity < 0.98 || math.Abs(r.Level+10) > 0.5 {
				t.Errorf("%v: %+v", m, r)
			}
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	for _, m := range standard {
		sound, _, _ := vectors(t, m)
		e, errE := NewEncoder(m)
		d, errD := NewDecoder(m)
		if errE != nil || errD != nil {
			t.Fatal(errE, errD)
		}
		payload, pcm := make([]byte, m.Bytes()), make([]int16, m.Samples())
		allocs := testing.AllocsPerRun(20, func() {
			if _, err := e.Encode(payload, sound[:m.Samples()]); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Decode(pcm, payload); err != nil {
				t.Fatal(err)
			}
			d.Conceal(pcm)
		})
		if allocs != 0 {
			t.Errorf("%v: %v allocations a frame", m, allocs)
		}
	}
}

// Whatever comes is decoded or refused, and good frames after it are decoded.
func FuzzDecode(f *testing.F) {
	for i, m := range standard {
		_, coded, _ := vectors(f, m)
		f.Add(uint8(i), coded[5*m.Bytes():6*m.Bytes()])
		f.Add(uint8(i), coded[8*m.Bytes():10*m.Bytes()])
		f.Add(uint8(i), coded[:m.Bytes()-1])
	}
	f.Fuzz(func(t *testing.T, which uint8, payload []byte) {
		m := standard[int(which)%len(standard)]
		d, err := NewDecoder(m)
		if err != nil {
			t.Fatal(err)
		}
		pcm := make([]int16, 6*m.Samples())
		n, err := d.Decode(pcm, payload)
		whole := len(payload) > 0 && len(payload)%m.Bytes() == 0 && len(payload) <= 6*m.Bytes()
		if whole != (err == nil) || whole && n != len(payload)/m.Bytes()*m.Samples() {
			t.Fatalf("%d bytes make %d samples: %v", len(payload), n, err)
		}
		d.Conceal(pcm[:m.Samples()])
		_, coded, _ := vectors(t, m)
		if _, err := d.Decode(pcm, coded[:m.Bytes()]); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	for _, m := range standard {
		b.Run(fmt.Sprintf("%d-%d", m.Rate, m.Bitrate), func(b *testing.B) {
			sound, _, _ := vectors(b, m)
			e, err := NewEncoder(m)
			if err != nil {
				b.Fatal(err)
			}
			payload := make([]byte, m.Bytes())
			b.ReportAllocs()
			for i := 0; b.Loop(); i = (i + 1) % 30 {
				if _, err := e.Encode(payload, sound[i*m.Samples():(i+1)*m.Samples()]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, m := range standard {
		b.Run(fmt.Sprintf("%d-%d", m.Rate, m.Bitrate), func(b *testing.B) {
			_, coded, _ := vectors(b, m)
			d, err := NewDecoder(m)
			if err != nil {
				b.Fatal(err)
			}
			pcm := make([]int16, m.Samples())
			b.ReportAllocs()
			for i := 0; b.Loop(); i = (i + 1) % 30 {
				if _, err := d.Decode(pcm, coded[i*m.Bytes():(i+1)*m.Bytes()]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
