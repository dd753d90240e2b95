package mixer_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shareOf is the part of the power of samples that lies at a frequency, 0..1.
func shareOf(pcm []int16, rate int, hz float64) float64 {
	var re, im, energy float64
	for i, s := range pcm {
		v := float64(s) * (0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(len(pcm))))
		a := 2 * math.Pi * hz * float64(i) / float64(rate)
		re += v * math.Cos(a)
		im += v * math.Sin(a)
		energy += v * v
	}
	if energy == 0 {
		return 0
	}
	// Under this window a pure sine of the frequency gives one.
	return 3 * (re*re + im*im) / (energy * float64(len(pcm)))
}

// Each of three talkers in different codecs hears both others and not himself;
// a listener hears all.
func TestEverybodyHearsTheOthers(t *testing.T) {
	talkers := []struct {
		id   string
		f    media.Format
		rate int
		hz   float64
	}{
		{"phone", pcmu, 8000, 500},
		{"room", g722, 16000, 900},
		{"browser", opus, 48000, 1500},
	}
	w := newWorld(t, mixer.Config{})
	ears := map[string]*listener{}
	for _, k := range talkers {
		in := w.input(k.id, k.f)
		w.source(in, k.f, sine(k.rate, k.hz, -15))
		ears[k.id] = listen(t, w.output(k.id, k.f, in))
	}
	ears["listener"] = listen(t, w.output("listener", pcma, nil))
	w.run(2 * time.Second)
	for id, l := range ears {
		for _, k := range talkers {
			share := l.share(time.Second, k.hz)
			if want := id != k.id; want && share < 0.2 || !want && share > 0.001 {
				t.Errorf("%s hears %s with %.4f of the power", id, k.id, share)
			}
		}
		if l.breaks > 0 || l.skips > 0 {
			t.Errorf("%s: %d breaks, %d skips in sequence or timestamp", id, l.breaks, l.skips)
		}
		if l.packets < 98 {
			t.Errorf("%s: %d packets in 2 s", id, l.packets)
		}
	}
	if s := w.mixer.Speakers(); len(s) != 3 {
		t.Errorf("speakers: %v", s)
	}
}

// A hundred listeners and three speakers cost four encodes a tick.
func TestSharedEncodes(t *testing.T) {
	for _, f := range []media.Format{pcmu, g722, siren14, opus} {
		t.Run(f.String(), func(t *testing.T) {
			w := newWorld(t, mixer.Config{})
			var ears []*listener
			for i := range 103 {
				var in *mixer.Input
				if i < 3 {
					in = w.input(fmt.Sprint("in", i), pcmu)
					w.source(in, pcmu, sine(8000, 400+200*float64(i), -20))
				}
				ears = append(ears, listen(t, w.output(fmt.Sprint("out", i), f, in)))
				if i >= 10 {
					ears[i].decoder = nil // they get the same as others
				}
			}
			w.run(time.Second)
			before := w.mixer.Stats()
			w.run(time.Second)
			after := w.mixer.Stats()
			if n := after.SharedEncodes - before.SharedEncodes; n != 50 {
				t.Errorf("%d shared encodes in 50 ticks", n)
			}
			if n := after.PrivateEncodes - before.PrivateEncodes; n != 150 {
				t.Errorf("%d private encodes in 50 ticks", n)
			}
			for i, l := range ears {
				if l.packets < 98 || l.breaks > 0 {
					t.Errorf("listener %d: %d packets, %d breaks", i, l.packets, l.breaks)
				}
			}
		})
	}
}

// Every packet length is taken and made.
func TestPacketLengths(t *testing.T) {
	for _, ptime := range []int{10, 20, 30, 40, 60} {
		for _, f := range []media.Format{pcma, g722, siren7, siren14, opus} {
			if f.Codec == media.Opus && ptime == 30 || f.Codec == media.G7221 && ptime%20 != 0 {
				continue // no such frame
			}
			t.Run(fmt.Sprintf("%s-%d", f, ptime), func(t *testing.T) {
				f.Ptime = time.Duration(ptime) * time.Millisecond
				w := newWorld(t, mixer.Config{})
				in := w.input("a", f)
				rate := int(f.ClockRate)
				if f.Codec == media.G722 {
					rate = 16000
				}
				w.source(in, f, sine(rate, 1000, -15))
				l := listen(t, w.output("b", f, nil))
				w.run(3 * time.Second)
				m := l.tail(time.Second)
				if math.Abs(m.Frequency-1000) > 1 || m.Purity < 0.99 || math.Abs(m.Level+15) > 1 {
					t.Errorf("heard %+v", m)
				}
				want := 3000 / ptime
				if l.packets < want-4 || l.packets > want || l.breaks > 0 || l.skips > 0 {
					t.Errorf("%d packets of %d, %d breaks, %d skips", l.packets, want, l.breaks, l.skips)
				}
				if s := in.Stats(); s.Underruns > 1 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	w := newWorld(t, mixer.Config{})
	if _, err := w.mixer.AddInput(mixer.InputConfig{ID: "x", Format: media.Format{Codec: "G723", ClockRate: 8000}}); err == nil {
		t.Error("an unknown codec was taken")
	}
	odd := pcmu
	odd.Ptime = 25 * time.Millisecond
	if _, err := w.mixer.AddOutput(mixer.OutputConfig{ID: "x", Format: odd}); err == nil {
		t.Error("packets of 25 ms were taken")
	}
	in := w.input("a", pcmu)
	if _, err := w.mixer.AddInput(mixer.InputConfig{ID: "a", Format: pcmu}); err == nil {
		t.Error("the same ID was taken twice")
	}
	up, err := in.Uplink(opus)
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	in.Close()
	select {
	case <-up.Done():
	default:
		t.Error("the uplink outlives its input")
	}
	out := w.output("o", pcmu, nil)
	w.mixer.Close()
	select {
	case <-out.Done():
	default:
		t.Error("the output outlives the mixer")
	}
	if err := out.Play(make([]int16, 10), 8000); err == nil {
		t.Error("played into a closed output")
	}
	if _, err := w.mixer.AddInput(mixer.InputConfig{ID: "b", Format: pcmu}); err == nil {
		t.Error("a closed mixer took an input")
	}
}
