package transcode_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/media/tone"
	"github.com/roomgate/roomgate/transcode"
)

// format is a codec's, where it works at rate.
func format(codec media.Codec, rate int) media.Format {
	switch codec {
	case media.Opus:
		return media.Format{Codec: codec, ClockRate: 48000, Channels: 2}
	case media.G7221:
		return media.Format{Codec: codec, ClockRate: uint32(rate), Bitrate: 32000}
	}
	return media.Format{Codec: codec, ClockRate: 8000}
}

func coders(tb testing.TB, codec media.Codec, rate int) (mixer.Encoder, mixer.Decoder) {
	tb.Helper()
	c := &transcode.Codecs{}
	e, err := c.NewEncoder(format(codec, rate), rate)
	if err != nil {
		tb.Fatal(err)
	}
	d, err := c.NewDecoder(format(codec, rate), rate)
	if err != nil {
		tb.Fatal(err)
	}
	return e, d
}

// every coder there is, with its rate.
var every = []struct {
	codec media.Codec
	rate  int
}{
	{media.PCMU, 8000}, {media.PCMA, 8000}, {media.G722, 16000},
	{media.Opus, 8000}, {media.Opus, 16000}, {media.Opus, 48000},
	{media.G7221, 16000}, {media.G7221, 32000}, {media.G729, 8000},
}

// pass encodes and decodes samples in frames of 20 ms.
func pass(tb testing.TB, e mixer.Encoder, d mixer.Decoder, pcm []int16) []int16 {
	tb.Helper()
	var out []int16
	payload, buf := make([]byte, 1500), make([]int16, 5760)
	for frame := e.Rate() / 50; len(pcm) >= frame; pcm = pcm[frame:] {
		n, err := e.Encode(payload, pcm[:frame])
		if err != nil {
			tb.Fatal(err)
		}
		m, err := d.Decode(buf, payload[:n])
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, buf[:m]...)
	}
	return out
}

func TestTonePasses(t *testing.T) {
	for _, c := range every {
		for _, hz := range []float64{300, 1000, 3000, 6000, 15000} {
			// What the codec is for, with its own margin at the edge.
			if hz > 0.43*float64(c.rate) || c.codec == media.Opus && hz > 10000 {
				continue
			}
			e, d := coders(t, c.codec, c.rate)
			if e.Rate() != c.rate || d.Rate() != c.rate {
				t.Errorf("%s-%d works at %d and %d", c.codec, c.rate, e.Rate(), d.Rate())
			}
			in := make([]int16, 2*c.rate)
			tone.NewGenerator(c.rate, hz, -10).Read(in)
			m := tone.Measure(pass(t, e, d, in)[c.rate:], c.rate)
			if math.Abs(m.Frequency-hz) > 1 || math.Abs(m.Level+10) > 1.5 || m.Purity < 0.98 {
				t.Errorf("%s-%d: %v Hz comes out as %+v", c.codec, c.rate, hz, m)
			}
		}
	}
}

// Opus decodes at any of the rates, whatever rate it was encoded at.
func TestOpusBetweenRates(t *testing.T) {
	for _, from := range []int{8000, 16000, 48000} {
		for _, to := range []int{8000, 16000, 48000} {
			e, _ := coders(t, media.Opus, from)
			_, d := coders(t, media.Opus, to)
			in := make([]int16, 2*from)
			tone.NewGenerator(from, 700, -10).Read(in)
			m := tone.Measure(pass(t, e, d, in)[to:], to)
			if math.Abs(m.Frequency-700) > 1 || m.Purity < 0.99 {
				t.Errorf("%d to %d: %+v", from, to, m)
			}
		}
	}
}

// A copied encoder makes the same payloads from then on, to the bit.
func TestCopyState(t *testing.T) {
	for _, c := range every {
		t.Run(fmt.Sprintf("%s-%d", c.codec, c.rate), func(t *testing.T) {
			original, _ := coders(t, c.codec, c.rate)
			other, _ := coders(t, c.codec, c.rate)
			pcm, frame := voiced(c.rate), c.rate/50
			a, b := make([]byte, 1500), make([]byte, 1500)
			for i := range 20 {
				if _, err := original.Encode(a, pcm[i*frame:(i+1)*frame]); err != nil {
					t.Fatal(err)
				}
			}
			if err := other.CopyState(original); err != nil {
				t.Fatal(err)
			}
			for i := 20; i < 50; i++ {
				n, err := original.Encode(a, pcm[i*frame:(i+1)*frame])
				if err != nil {
					t.Fatal(err)
				}
				m, err := other.Encode(b, pcm[i*frame:(i+1)*frame])
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(a[:n], b[:m]) {
					t.Fatalf("frame %d differs", i)
				}
			}
		})
	}
	u, _ := coders(t, media.PCMU, 8000)
	g, _ := coders(t, media.G722, 16000)
	o, _ := coders(t, media.Opus, 8000)
	s, _ := coders(t, media.G7221, 16000)
	w, _ := coders(t, media.G7221, 32000)
	for _, p := range [][2]mixer.Encoder{{u, g}, {g, o}, {o, u}, {s, g}, {s, w}} {
		if p[0].CopyState(p[1]) == nil {
			t.Errorf("%T took the state of %T", p[0], p[1])
		}
	}
}

// A frame lost in a tone is concealed: no silence, no click.
func TestConcealment(t *testing.T) {
	for _, c := range every {
		e, d := coders(t, c.codec, c.rate)
		in := make([]int16, 2*c.rate)
		tone.NewGenerator(c.rate, 400, -10).Read(in)
		frame := c.rate / 50
		var out []int16
		payload, buf := make([]byte, 1500), make([]int16, 5760)
		for i := 0; (i+1)*frame <= len(in); i++ {
			n, err := e.Encode(payload, in[i*frame:(i+1)*frame])
			if err != nil {
				t.Fatal(err)
			}
			m := frame
			if i%20 == 10 {
				d.Conceal(buf[:frame])
			} else if m, err = d.Decode(buf, payload[:n]); err != nil {
				t.Fatal(err)
			}
			out = append(out, buf[:m]...)
		}
		least := 0.95
		switch c.codec { // their own concealment, one frame in twenty
		case media.Opus:
			least = 0.88
		case media.G729:
			least = 0.75 // with random pulses, as clause 4.4.4 has it
		}
		m := tone.Measure(out[c.rate/2:], c.rate)
		if m.Purity < least || math.Abs(m.Level+10) > 1 {
			t.Errorf("%s-%d: %+v", c.codec, c.rate, m)
		}
	}
}

// With in-band FEC a lost frame is found in the next packet.
func TestOpusRecovers(t *testing.T) {
	f := format(media.Opus, 48000)
	f.Opus.InbandFEC = true
	e, err := (&transcode.Codecs{LossPercent: 20, Bitrate: 32000}).NewEncoder(f, 16000)
	if err != nil {
		t.Fatal(err)
	}
	errorWith := func(recover bool) float64 {
		_, whole := coders(t, media.Opus, 16000)
		_, d := coders(t, media.Opus, 16000)
		ref, buf, payload := make([]int16, 5760), make([]int16, 5760), make([]byte, 1500)
		pcm, sum := syllables(), 0.0
		for i := range 50 {
			n, err := e.Encode(payload, pcm[i*320:(i+1)*320])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := whole.Decode(ref[320:], payload[:n]); err != nil {
				t.Fatal(err)
			}
			if i%6 == 5 { // the one before was lost
				if recover {
					if err := d.(mixer.Recoverer).Recover(buf[:320], payload[:n]); err != nil {
						t.Fatal(err)
					}
				} else {
					d.Conceal(buf[:320])
				}
				for k := range 320 {
					sum += math.Pow(float64(buf[k])-float64(ref[k]), 2)
				}
			}
			if i%6 != 4 {
				if _, err := d.Decode(buf, payload[:n]); err != nil {
					t.Fatal(err)
				}
			}
			copy(ref[:320], ref[320:640])
		}
		return sum
	}
	if with, without := errorWith(true), errorWith(false); with > without/2 {
		t.Errorf("error with FEC %.3g, without %.3g", with, without)
	}
}

// syllables is a second of harmonics at 16 kHz that change every 40 ms, which
// concealment cannot foresee.
func syllables() []int16 {
	pcm := make([]int16, 16000)
	for i := range pcm {
		f0 := 100 + 37*float64((i/640*7)%11)
		for h := 1.0; h < 8; h++ {
			pcm[i] += int16(2000 / h * math.Sin(2*math.Pi*h*f0*float64(i)/16000))
		}
	}
	return pcm
}

func TestOpusDTX(t *testing.T) {
	f := format(media.Opus, 48000)
	f.Opus.DTX = true
	e, err := (&transcode.Codecs{}).NewEncoder(f, 16000)
	if err != nil {
		t.Fatal(err)
	}
	payload, sent := make([]byte, 1500), 0
	for range 100 {
		n, err := e.Encode(payload, make([]int16, 320))
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			sent++
		}
	}
	if sent == 0 || sent > 40 {
		t.Errorf("%d of 100 silent frames were sent", sent)
	}
}

func TestReceiverLimitsBitrate(t *testing.T) {
	f := format(media.Opus, 48000)
	f.Opus.MaxAverage = 12000
	e, err := (&transcode.Codecs{}).NewEncoder(f, 48000)
	if err != nil {
		t.Fatal(err)
	}
	payload, total := make([]byte, 1500), 0
	pcm := voiced(48000)
	for i := range 50 {
		n, err := e.Encode(payload, pcm[i*960:(i+1)*960])
		if err != nil {
			t.Fatal(err)
		}
		total += n
	}
	if bps := total * 8; bps > 14500 {
		t.Errorf("%d bit/s", bps)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	for _, c := range every {
		e, d := coders(t, c.codec, c.rate)
		pcm, payload, buf := voiced(c.rate), make([]byte, 1500), make([]int16, 5760)
		i, frame := 0, c.rate/50
		allocs := testing.AllocsPerRun(100, func() {
			n, err := e.Encode(payload, pcm[i*frame:(i+1)*frame])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Decode(buf, payload[:n]); err != nil {
				t.Fatal(err)
			}
			if r, ok := d.(mixer.Recoverer); ok {
				_ = r.Recover(buf[:frame], payload[:n])
			}
			d.Conceal(buf[:frame])
			i = (i + 1) % 50
		})
		if allocs != 0 {
			t.Errorf("%s-%d: %v allocations a frame", c.codec, c.rate, allocs)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	c := &transcode.Codecs{}
	for _, f := range []media.Format{{Codec: "G723", ClockRate: 8000}, {}, {Codec: media.G7221, ClockRate: 16000}} {
		if _, err := c.NewDecoder(f, 8000); !errors.Is(err, transcode.ErrUnsupported) {
			t.Errorf("%v: %v", f, err)
		}
		if _, err := c.NewEncoder(f, 8000); !errors.Is(err, transcode.ErrUnsupported) {
			t.Errorf("%v: %v", f, err)
		}
	}
	for _, k := range every {
		e, d := coders(t, k.codec, k.rate)
		if _, err := d.Decode(make([]int16, 5760), nil); err == nil {
			t.Errorf("%s: an empty payload was decoded", k.codec)
		}
		if _, err := d.Decode(make([]int16, 10), make([]byte, 400)); err == nil {
			t.Errorf("%s: 400 bytes were decoded into 10 samples", k.codec)
		}
		if _, err := e.Encode(nil, make([]int16, k.rate/50)); err == nil {
			t.Errorf("%s: encoded into nothing", k.codec)
		}
	}
}

// Names of codecs are not case-sensitive.
func TestCodecNames(t *testing.T) {
	if _, err := (&transcode.Codecs{}).NewDecoder(media.Format{Codec: "OPUS", ClockRate: 48000}, 8000); err != nil {
		t.Error(err)
	}
}
