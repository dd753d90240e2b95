package mixer_test

import (
	"math"
	"testing"
	"time"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/level"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/media/tone"
)

// What the network does to packets, and what may be heard of it.
func TestNetworkImpairments(t *testing.T) {
	r := dice()
	for _, tc := range []struct {
		name   string
		f      media.Format
		rate   int
		lose   func(i int) bool
		delay  func(i int) time.Duration
		purity float64       // of the tone, at least
		delays time.Duration // in the buffer after all, at most
	}{
		{"clean", pcmu, 8000, nil, nil, 0.999, 25 * time.Millisecond},
		{"loss 3% G.711", pcmu, 8000, func(int) bool { return r.Float64() < 0.03 }, nil, 0.97, 90 * time.Millisecond},
		{"loss 3% G.722", g722, 16000, func(int) bool { return r.Float64() < 0.03 }, nil, 0.95, 90 * time.Millisecond},
		{"loss 3% Opus", opus, 48000, func(int) bool { return r.Float64() < 0.03 }, nil, 0.95, 90 * time.Millisecond},
		{"jitter 30 ms", pcmu, 8000, nil, func(int) time.Duration {
			return time.Duration(r.IntN(30)) * time.Millisecond
		}, 0.99, 70 * time.Millisecond},
		{"a late one in fifty", pcmu, 8000, nil, func(i int) time.Duration {
			if i%50 == 7 {
				return 35 * time.Millisecond
			}
			return 0
		}, 0.99, 80 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, mixer.Config{})
			in := w.input("a", tc.f)
			s := w.source(in, tc.f, sine(tc.rate, 400, -15))
			s.lose, s.delay = tc.lose, tc.delay
			l := listen(t, w.output("o", opus, nil))
			w.run(20 * time.Second)
			if m := tone.Measure(l.heard[12*48000:], 48000); m.Purity < tc.purity || math.Abs(m.Frequency-400) > 1 {
				t.Errorf("heard %+v", m)
			}
			st := in.Stats()
			if st.Delay > tc.delays {
				t.Errorf("the buffer holds %v", st.Delay)
			}
			t.Logf("%+v", st)
		})
	}
}

// Clocks that differ by 200 ppm either way, for ten minutes: no second of the
// tone is spoilt and the delay stays.
func TestClockDrift(t *testing.T) {
	for _, ppm := range []int{-200, 200} {
		w := newWorld(t, mixer.Config{})
		in := w.input("a", pcmu)
		s := w.source(in, pcmu, sine(8000, 400, -15))
		s.period += time.Duration(ppm) * s.ptime / 1_000_000
		l := listen(t, w.output("o", pcmu, nil))
		for range 10 {
			w.run(time.Minute)
			for at := len(l.heard) - 50*8000; at+8000 <= len(l.heard); at += 8000 {
				if m := tone.Measure(l.heard[at:at+8000], 8000); m.Purity < 0.95 {
					t.Errorf("%d ppm, second %d: %+v", ppm, at/8000, m)
				}
			}
			if d := in.Stats().Delay; d > 45*time.Millisecond {
				t.Errorf("%d ppm: %v in the buffer", ppm, d)
			}
		}
		st := in.Stats()
		if st.Underruns > 2 || st.Cut+st.Stretched == 0 {
			t.Errorf("%d ppm: %+v", ppm, st)
		}
		t.Logf("%d ppm: %+v", ppm, st)
	}
}

// After a burst of delay is over, the delay comes down again.
func TestDelayRecovers(t *testing.T) {
	w := newWorld(t, mixer.Config{})
	in := w.input("a", pcmu)
	words, n := sine(8000, 400, -15), 0
	s := w.source(in, pcmu, func(pcm []int16) {
		if words(pcm); n%50 >= 30 {
			clear(pcm)
		}
		n++
	})
	s.delay = func(i int) time.Duration {
		if i >= 100 && i < 110 {
			return time.Duration(200-20*(i-100)) * time.Millisecond // held up, then all at once
		}
		return 0
	}
	listen(t, w.output("o", pcmu, nil))
	w.run(4 * time.Second)
	high := in.Stats().Delay
	if high < 100*time.Millisecond {
		t.Errorf("grew only to %v", high)
	}
	w.run(30 * time.Second)
	if low := in.Stats().Delay; low > 40*time.Millisecond {
		t.Errorf("from %v it came down only to %v", high, low)
	}
}

// From the SFU to a terminal the mixer adds the wait for the tick and little
// more, at whatever phase packets arrive: well under 30 ms.
func TestMixedDelay(t *testing.T) {
	var worst []int
	for phase := range 20 {
		w := newWorld(t, mixer.Config{})
		in := w.input("a", pcmu)
		words, n := sine(8000, 400, -15), 0
		s := w.source(in, pcmu, func(pcm []int16) {
			if words(pcm); n%100 >= 10 {
				clear(pcm)
			}
			n++
		})
		s.next = w.now.Add(time.Duration(phase) * time.Millisecond)
		l := listen(t, w.output("o", pcmu, nil))
		w.run(18 * time.Second)
		for n%100 != 1 { // until a word begins
			w.run(time.Millisecond)
		}
		toTick := 20 - int(w.now.UnixMilli()%20)
		before := len(l.heard)
		w.run(100 * time.Millisecond)
		for i, v := range l.heard[before:] {
			if v > 300 || v < -300 { // its first sample, in the (i/160)th packet from here
				worst = append(worst, toTick+i/8)
				break
			}
		}
	}
	if len(worst) != 20 {
		t.Errorf("%d of 20 words were heard", len(worst))
	}
	for _, d := range worst {
		if d > 25 {
			t.Errorf("a word waits for %d ms", d)
		}
	}
	t.Logf("delays by phase of arrival: %v", worst)
}

// A remote track that says by RFC 6464 that it is silent is not decoded; the
// first loud packet is heard whole.
func TestSilentTracksAreNotDecoded(t *testing.T) {
	w := newWorld(t, mixer.Config{})
	in := w.input("a", opus)
	s := w.source(in, opus, func(pcm []int16) { clear(pcm) })
	loud := false
	s.level = func(int) (uint8, bool) {
		if loud {
			return 0x80 | 18, true
		}
		return 127, true
	}
	l := listen(t, w.output("o", opus, nil))
	w.run(5 * time.Second)
	st := in.Stats()
	if st.Asleep < 200 || st.Underruns > 1 {
		t.Errorf("%+v", st)
	}
	if in.Speaking() || in.Level() > -100 {
		t.Errorf("speaks at %.0f", in.Level())
	}
	loud = true
	s.sound = sine(48000, 1000, -15)
	w.run(200 * time.Millisecond)
	onset := 0
	for _, frame := range frames(l.heard[len(l.heard)-9600:], 960) {
		if level.DBov(frame) > -25 {
			onset++
		}
	}
	if onset < 7 {
		t.Errorf("%d of 10 frames are loud", onset)
	}
	w.run(time.Second)
	if m := l.tail(time.Second); m.Purity < 0.99 || in.Stats().Delay > 40*time.Millisecond {
		t.Errorf("heard %+v with %v in the buffer", m, in.Stats().Delay)
	}
}

func frames(pcm []int16, n int) (out [][]int16) {
	for ; len(pcm) >= n; pcm = pcm[n:] {
		out = append(out, pcm[:n])
	}
	return out
}

// When a wideband listener joins, inputs that can are decoded wideband, in a
// pause; a bridge of phones alone stays at 8 kHz.
func TestRateFollowsTheListeners(t *testing.T) {
	w := newWorld(t, mixer.Config{})
	in := w.input("a", opus)
	n := 0
	high := sine(48000, 6000, -15)
	w.source(in, opus, func(pcm []int16) {
		if high(pcm); n%25 >= 5 {
			clear(pcm)
		}
		n++
	})
	listen(t, w.output("phone", pcmu, nil))
	w.run(time.Second)
	if got := in.String(); got != "reorder -> opus(decode 8000) -> playout -> mixer" {
		t.Error(got)
	}
	l := listen(t, w.output("room", opus, nil))
	w.run(4 * time.Second)
	if got := in.String(); got != "reorder -> opus(decode 48000) -> playout -> mixer" {
		t.Error(got)
	}
	if s := l.share(2*time.Second, 6000); s < 0.1 {
		t.Errorf("6 kHz is heard with %.3f", s)
	}
}
