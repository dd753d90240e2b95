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

// A listener that begins to talk hears on exactly what it would have heard: its
// private stream continues the shared one to the sample. It returns in a pause
// of the others, and then nothing is to be heard of the change.
func TestSwitchToPrivateAndBackIsNotHeard(t *testing.T) {
	const (
		talk    = 700 * time.Millisecond
		silence = 1400 * time.Millisecond
		end     = 2600 * time.Millisecond
	)
	for _, f := range []media.Format{pcmu, g722, siren14, opus} {
		for _, ptime := range []time.Duration{20 * time.Millisecond, 60 * time.Millisecond} {
			f.Ptime = ptime
			t.Run(f.String()+"-"+ptime.String(), func(t *testing.T) {
				hear := func(talks bool) (heard []int16, private uint64) {
					w := newWorld(t, mixer.Config{})
					remote, own := w.input("remote", opus), w.input("own", pcmu)
					other := w.source(remote, opus, sine(48000, 1000, -15))
					self := w.source(own, pcmu, func(p []int16) { clear(p) })
					l := listen(t, w.output("own", f, own))
					listen(t, w.output("a", f, nil))
					listen(t, w.output("b", f, nil))
					w.run(talk)
					if talks {
						self.sound = sine(8000, 300, -12)
					}
					w.run(silence - talk - 400*time.Millisecond)
					self.sound = func(p []int16) { clear(p) }
					w.run(400 * time.Millisecond)
					other.sound = func(p []int16) { clear(p) }
					w.run(end - silence - 400*time.Millisecond)
					before := w.mixer.Stats().PrivateEncodes
					other.sound = sine(48000, 1000, -15)
					w.run(400 * time.Millisecond)
					if talks && w.mixer.Stats().PrivateEncodes != before {
						t.Errorf("still private after a pause")
					}
					if l.breaks > 0 {
						t.Errorf("%d breaks", l.breaks)
					}
					return l.heard, w.mixer.Stats().PrivateEncodes
				}
				with, n := hear(true)
				without, none := hear(false)
				if n == 0 || none != 0 {
					t.Fatalf("%d private encodes when talking, %d when not", n, none)
				}
				rate := len(without) * 1000 / int(end.Milliseconds())
				rate = int(math.Round(float64(rate)/8000)) * 8000
				exact := rate * int(silence.Milliseconds()) / 1000
				for i := range exact {
					if with[i] != without[i] {
						t.Fatalf("sample %d (%d ms) differs", i, i*1000/rate)
					}
				}
				diff := make([]int16, min(len(with), len(without))-exact)
				for i := range diff {
					diff[i] = with[exact+i] - without[exact+i]
				}
				if d := loudestFrame(diff, rate); d > -45 {
					t.Errorf("the return is heard at %.1f dBov", d)
				}
			})
		}
	}
}

// loudestFrame is the level of the loudest 20 ms.
func loudestFrame(pcm []int16, rate int) float64 {
	loudest := level.Silence
	for frame := rate / 50; len(pcm) >= frame; pcm = pcm[frame:] {
		loudest = max(loudest, level.DBov(pcm[:frame]))
	}
	return loudest
}

// The only listener of its format needs no shared encoder, and may change at
// any time: exactly one encode a tick, and the tone goes on without a step.
func TestLonelyListenerSwitchesAnyTime(t *testing.T) {
	w := newWorld(t, mixer.Config{})
	remote, own := w.input("remote", opus), w.input("own", pcmu)
	w.source(remote, opus, sine(48000, 1000, -15))
	self := w.source(own, pcmu, func(p []int16) { clear(p) })
	l := listen(t, w.output("own", g722, own))
	for range 4 {
		w.run(700 * time.Millisecond)
		self.sound = sine(8000, 300, -12)
		w.run(300 * time.Millisecond)
		self.sound = func(p []int16) { clear(p) }
	}
	s := w.mixer.Stats()
	if s.SharedEncodes+s.PrivateEncodes != s.Ticks || s.PrivateEncodes == 0 || s.SharedEncodes == 0 {
		t.Errorf("%+v", s)
	}
	if m := tone.Measure(l.heard[16000:], 16000); m.Purity < 0.999 || math.Abs(m.Frequency-1000) > 1 {
		t.Errorf("heard %+v", m)
	}
}

func TestPlayIsHeardByOneOnly(t *testing.T) {
	w := newWorld(t, mixer.Config{})
	in := w.input("a", pcmu)
	w.source(in, pcmu, sine(8000, 500, -20))
	one, other := w.output("one", pcmu, nil), w.output("other", pcmu, nil)
	l1, l2 := listen(t, one), listen(t, other)
	w.run(time.Second)
	beep := tone.Beep(48000, 1300, 48000)
	if err := one.Play(beep, 48000); err != nil {
		t.Fatal(err)
	}
	if !one.Playing() {
		t.Error("does not play")
	}
	w.run(900 * time.Millisecond)
	if s := l1.share(500*time.Millisecond, 1300); s < 0.3 {
		t.Errorf("the beep has %.3f of the power", s)
	}
	if s := l1.share(500*time.Millisecond, 500); s < 0.1 {
		t.Errorf("the meeting has %.3f of the power", s)
	}
	if s := l2.share(500*time.Millisecond, 1300); s > 0.001 {
		t.Errorf("the other hears the beep with %.4f", s)
	}
	w.run(time.Second)
	if one.Playing() || l1.share(500*time.Millisecond, 1300) > 0.001 {
		t.Error("the beep does not end")
	}
	for range 60 {
		if err := one.Play(beep, 48000); err != nil {
			t.Fatal(err)
		}
	}
	if err := one.Play(beep, 48000); err == nil {
		t.Error("more than a minute was queued")
	}
	one.StopPlaying()
	if one.Playing() {
		t.Error("still plays")
	}
}

// With many talkers at full level the mix bends but never wraps.
func TestMixSaturatesSoftly(t *testing.T) {
	w := newWorld(t, mixer.Config{MaxMixed: 4})
	for i := range 6 {
		in := w.input(string(rune('a'+i)), pcmu)
		w.source(in, pcmu, sine(8000, 400, -3-float64(i)))
	}
	l := listen(t, w.output("o", pcmu, nil))
	w.run(time.Second)
	heard := l.heard[4000:]
	for i := 1; i < len(heard); i++ {
		if d := int(heard[i]) - int(heard[i-1]); d > 30000 || d < -30000 {
			t.Fatalf("sample %d jumps by %d", i, d)
		}
	}
	if m := tone.Measure(heard, 8000); math.Abs(m.Frequency-400) > 1 || m.Level < -1 {
		t.Errorf("heard %+v", m)
	}
}

func TestOnlyTheLoudestAreMixed(t *testing.T) {
	w := newWorld(t, mixer.Config{MaxMixed: 2})
	for i, dbfs := range []float64{-15, -20, -30} {
		in := w.input(string(rune('a'+i)), pcmu)
		w.source(in, pcmu, sine(8000, 400+float64(i)*300, dbfs))
	}
	l := listen(t, w.output("o", pcmu, nil))
	w.run(2 * time.Second)
	if s := l.share(time.Second, 1000); s > 0.0005 {
		t.Errorf("the third is heard with %.4f", s)
	}
	if s := l.share(time.Second, 700); s < 0.1 {
		t.Errorf("the second is heard with %.4f", s)
	}
}
