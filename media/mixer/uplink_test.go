package mixer_test

import (
	"math"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/level"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/media/tone"
)

// The uplink's packet leaves within the call that brought the phone's: nothing
// waits for a tick.
func TestUplinkDoesNotWait(t *testing.T) {
	for _, f := range []media.Format{pcmu, pcma, g722, siren7, siren14} {
		t.Run(f.String(), func(t *testing.T) {
			w := newWorld(t, mixer.Config{})
			in := w.input("phone", f)
			up, err := in.Uplink(opus)
			if err != nil {
				t.Fatal(err)
			}
			l := listen(t, up)
			rate := int(f.ClockRate)
			if f.Codec == media.G722 {
				rate = 16000
			}
			s := w.source(in, f, sine(rate, 700, -15))
			for range 100 {
				w.run(20 * time.Millisecond)
				if l.packets != s.sent {
					t.Fatalf("%d packets came out for %d in", l.packets, s.sent)
				}
			}
			if m := l.tail(time.Second); math.Abs(m.Frequency-700) > 1 || m.Purity < 0.99 || math.Abs(m.Level+15) > 1.5 {
				t.Errorf("heard %+v", m)
			}
			if l.breaks > 0 || l.skips > 0 {
				t.Errorf("%d breaks, %d skips", l.breaks, l.skips)
			}
			// A sine at -15 dBFS is at -18 dBov; the voice bit is set.
			if got := l.levels[len(l.levels)-1]; got != 18|0x80 {
				t.Errorf("level %#x", got)
			}
			in.Mute(true)
			w.run(time.Second)
			if got := l.levels[len(l.levels)-1]; got != 127 {
				t.Errorf("level %d when muted", got)
			}
			if m := l.tail(200 * time.Millisecond); m.Level > -70 {
				t.Errorf("muted, but heard at %.1f dBFS", m.Level)
			}
		})
	}
}

// The same encoding passes untouched, with a level, in order, and with the
// holes that loss made.
func TestUplinkPassthrough(t *testing.T) {
	w := newWorld(t, mixer.Config{})
	in := w.input("phone", pcmu)
	up, err := in.Uplink(media.Format{Codec: "pcmu", ClockRate: 8000})
	if err != nil {
		t.Fatal(err)
	}
	var got []*rtp.Packet
	defer up.Attach(media.WriterFunc(func(p *rtp.Packet) error {
		got = append(got, p.Clone())
		return nil
	}))()
	s := w.source(in, pcmu, sine(8000, 700, -15))
	s.lose = func(i int) bool { return i == 20 }
	s.delay = func(i int) time.Duration {
		if i == 40 {
			return 25 * time.Millisecond // overtaken by the next
		}
		return 0
	}
	w.run(2 * time.Second)
	if len(got) != s.sent-1 {
		t.Fatalf("%d of %d packets", len(got), s.sent)
	}
	for i := 1; i < len(got); i++ {
		want := uint16(1)
		if i == 20 {
			want = 2
		}
		if step := got[i].SequenceNumber - got[i-1].SequenceNumber; step != want {
			t.Errorf("packet %d: sequence moves by %d", i, step)
		}
		if step := got[i].Timestamp - got[i-1].Timestamp; step != 160*uint32(want) {
			t.Errorf("packet %d: timestamp moves by %d", i, step)
		}
		if len(got[i].Payload) != 160 || len(got[i].GetExtension(media.AudioLevelID)) != 1 {
			t.Errorf("packet %d: %d bytes", i, len(got[i].Payload))
		}
	}
	before := len(got)
	in.Mute(true)
	w.run(200 * time.Millisecond)
	if len(got) != before {
		t.Error("a muted source passes")
	}
}

// Lost packets are concealed before they are encoded, so the SFU sees none.
func TestUplinkConcealsLoss(t *testing.T) {
	w := newWorld(t, mixer.Config{})
	in := w.input("phone", pcmu)
	up, err := in.Uplink(opus)
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, up)
	s := w.source(in, pcmu, sine(8000, 400, -15))
	r := dice()
	s.lose = func(int) bool { return r.Float64() < 0.05 }
	w.run(10 * time.Second)
	if l.breaks > 0 || l.skips > 0 {
		t.Errorf("%d breaks, %d skips", l.breaks, l.skips)
	}
	if m := tone.Measure(l.heard[48000:], 48000); m.Purity < 0.97 {
		t.Errorf("heard %+v at 5%% loss", m)
	}
}

// After a restart of the source's sequence and time, the uplink goes on.
func TestUplinkSurvivesRestart(t *testing.T) {
	w := newWorld(t, mixer.Config{})
	in := w.input("phone", pcmu)
	up, err := in.Uplink(opus)
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, up)
	out := listen(t, w.output("o", pcmu, nil))
	s := w.source(in, pcmu, sine(8000, 400, -15))
	w.run(time.Second)
	s.packet.SequenceNumber += 20000
	s.packet.Timestamp -= 1 << 30
	w.run(time.Second)
	if l.breaks > 0 || l.packets < 98 {
		t.Errorf("%d packets, %d breaks", l.packets, l.breaks)
	}
	for _, e := range []*listener{l, out} {
		if m := e.tail(500 * time.Millisecond); m.Purity < 0.999 {
			t.Errorf("heard %+v", m)
		}
	}
}

// A phone that suppresses silence sends comfort noise and pauses: that is no
// loss, the pause is no delay, and speech after it is whole.
func TestComfortNoiseAndPauses(t *testing.T) {
	t.Run("between the packets", func(t *testing.T) {
		comfortNoise(t, 13, func(in *mixer.Input) media.Writer { return in })
	})
	t.Run("apart", func(t *testing.T) { // as a dynamic payload type is
		comfortNoise(t, 98, (*mixer.Input).Noise)
	})
}

func comfortNoise(t *testing.T, payloadType uint8, writer func(*mixer.Input) media.Writer) {
	w := newWorld(t, mixer.Config{})
	in := w.input("phone", pcmu)
	up, err := in.Uplink(opus)
	if err != nil {
		t.Fatal(err)
	}
	l, out := listen(t, up), listen(t, w.output("o", pcmu, nil))
	s := w.source(in, pcmu, sine(8000, 600, -15))
	speak := s.sound
	for range 5 {
		s.sound = speak
		w.run(500 * time.Millisecond)
		s.sound = nil
		w.run(5 * time.Millisecond)
		cn := &rtp.Packet{Header: rtp.Header{
			Version: 2, PayloadType: payloadType, SequenceNumber: s.packet.SequenceNumber, Timestamp: s.packet.Timestamp,
		}, Payload: []byte{60}}
		s.packet.SequenceNumber++
		if err := writer(in).WriteRTP(cn); err != nil {
			t.Fatal(err)
		}
		w.run(735 * time.Millisecond)
		if in.Speaking() {
			t.Error("speaks in a pause")
		}
	}
	st := in.Stats()
	if st.Underruns > 1 || st.Lost > 0 || st.Malformed > 0 {
		t.Errorf("%+v", st)
	}
	s.sound = speak
	w.run(500 * time.Millisecond)
	if d := in.Stats().Delay; d > 40*time.Millisecond {
		t.Errorf("delay has grown to %v", d)
	}
	if m := out.tail(300 * time.Millisecond); m.Purity < 0.99 {
		t.Errorf("heard %+v", m)
	}
	if l.skips < 4 || l.breaks > 0 {
		t.Errorf("uplink: %d skips, %d breaks", l.skips, l.breaks)
	}
}

func TestAutomaticGain(t *testing.T) {
	for _, tc := range []struct{ dbfs, want float64 }{
		{-9, level.Target}, {-23, level.Target}, {-33, level.Target}, {-44, -44 - 3 + 15}, // as far as the gain goes
	} {
		w := newWorld(t, mixer.Config{})
		in, err := w.mixer.AddInput(mixer.InputConfig{ID: "a", Format: pcma, AGC: true})
		if err != nil {
			t.Fatal(err)
		}
		s := w.source(in, pcma, nil)
		tone, n := sine(8000, 600, tc.dbfs), 0
		s.sound = func(pcm []int16) { // words with pauses between them
			if tone(pcm); n%40 >= 30 {
				clear(pcm)
			}
			n++
		}
		l := listen(t, w.output("o", pcma, nil))
		w.run(8 * time.Second)
		got := loudestFrame(l.heard[len(l.heard)-8000:], 8000)
		if math.Abs(got-tc.want) > 1 {
			t.Errorf("%.0f dBFS comes out at %.1f dBov, want %.1f", tc.dbfs, got, tc.want)
		}
	}
}
