package mixer_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/transcode"
)

// On a running clock, with everything changing at once: packets, mutes, joins,
// leaves, tones. The race detector and the leak check are the judges; every
// listener who stays gets an unbroken stream.
func TestRunningClock(t *testing.T) {
	clock := mixer.NewClock()
	defer clock.Close()
	var meetings sync.WaitGroup
	for k := range 3 {
		meetings.Add(1)
		go func() {
			defer meetings.Done()
			meeting(t, clock, k)
		}()
	}
	meetings.Wait()
	if s := clock.Stats(); s.Ticks == 0 {
		t.Error("the clock stood still")
	}
}

// meeting lasts until its listener has heard a second.
func meeting(t *testing.T, clock *mixer.Clock, k int) {
	var floor atomic.Int64
	m := mixer.New(mixer.Config{Codecs: &transcode.Codecs{}, Clock: clock, OnSpeaker: func(string) { floor.Add(1) }})
	defer m.Close()
	in, err := m.AddInput(mixer.InputConfig{ID: "talker", Format: pcmu, AGC: true})
	if err != nil {
		t.Error(err)
		return
	}
	out, err := m.AddOutput(mixer.OutputConfig{ID: "ear", Format: []media.Format{pcmu, g722, opus}[k]})
	if err != nil {
		t.Error(err)
		return
	}
	enough := make(chan struct{})
	packets, breaks := 0, 0
	var last rtp.Header
	defer out.Attach(media.WriterFunc(func(p *rtp.Packet) error {
		if packets > 0 && p.SequenceNumber != last.SequenceNumber+1 {
			breaks++
		}
		last = p.Header
		if packets++; packets == 50 {
			close(enough)
		}
		return nil
	}))()
	stop := make(chan struct{})
	var others sync.WaitGroup
	busy := func(f func(i int)) {
		others.Add(1)
		go func() {
			defer others.Done()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					f(i)
				}
			}
		}()
	}
	loud := make([]byte, 160)
	for i := range loud {
		loud[i] = byte(i * 37)
	}
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	busy(func(i int) {
		<-pace.C
		p := &rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(i), Timestamp: uint32(i) * 160}, Payload: loud}
		if err := in.WriteRTP(p); err != nil {
			t.Error(err)
		}
	})
	busy(func(i int) {
		<-pace.C
		o, err := m.AddOutput(mixer.OutputConfig{ID: fmt.Sprint(i), Format: pcmu, Exclude: in})
		if err != nil {
			t.Error(err)
			return
		}
		detach := o.Attach(discard{})
		if err := o.Play(make([]int16, 100), 8000); err != nil {
			t.Error(err)
		}
		up, err := in.Uplink(opus)
		if err != nil {
			t.Error(err)
			return
		}
		defer up.Attach(discard{})()
		in.Mute(i%7 == 0)
		_, _, _ = m.Speakers(), in.Stats(), in.Level()
		o.Exclude(nil)
		detach()
		o.Close()
		up.Close()
	})
	<-enough
	close(stop)
	others.Wait()
	if breaks > 0 {
		t.Errorf("meeting %d: %d breaks", k, breaks)
	}
}

// A mixer without a clock of the process has its own, and ends it.
func TestOwnClock(t *testing.T) {
	m := mixer.New(mixer.Config{Codecs: &transcode.Codecs{}})
	out, err := m.AddOutput(mixer.OutputConfig{ID: "a", Format: pcmu})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan struct{}, 1)
	detach := out.Attach(media.WriterFunc(func(*rtp.Packet) error {
		select {
		case got <- struct{}{}:
		default:
		}
		return nil
	}))
	<-got
	detach()
	detach()
	m.Close()
	m.Close()
}

// After detaching, nothing is written any more.
func TestDetach(t *testing.T) {
	w := newWorld(t, mixer.Config{})
	out := w.output("o", pcmu, nil)
	n := 0
	detach := out.Attach(media.WriterFunc(func(*rtp.Packet) error { n++; return fmt.Errorf("consumer fails") }))
	l := listen(t, out)
	w.run(100 * time.Millisecond)
	if n != 5 || l.packets != 5 {
		t.Errorf("%d and %d packets", n, l.packets)
	}
	detach()
	w.run(100 * time.Millisecond)
	if n != 5 || l.packets != 10 {
		t.Errorf("%d and %d packets after detaching one", n, l.packets)
	}
	if out.Role() != media.Audio || out.ID() != "o" || out.Format() != pcmu {
		t.Error("the track is not what was asked for")
	}
	out.RequestKeyframe()
	if got := out.String(); got != "mixer(8000) -> PCMU(encode)" {
		t.Error(got)
	}
}

// Whatever a stranger sends as payload, the meeting goes on.
func FuzzInput(f *testing.F) {
	f.Add([]byte{0x78, 1, 2, 3}, uint16(1), uint32(160), byte(0))
	f.Add([]byte{}, uint16(65535), uint32(1<<31), byte(13))
	f.Fuzz(func(t *testing.T, payload []byte, seq uint16, ts uint32, pt byte) {
		for _, format := range []media.Format{pcmu, g722, opus} {
			w := newWorld(t, mixer.Config{})
			in := w.input("a", format)
			up, err := in.Uplink(media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer up.Attach(discard{})()
			defer w.output("o", pcmu, nil).Attach(discard{})()
			for i := range uint16(8) {
				p := &rtp.Packet{Header: rtp.Header{SequenceNumber: seq * i, Timestamp: ts * uint32(i), PayloadType: pt}, Payload: payload}
				if err := in.WriteRTP(p); err != nil {
					t.Fatal(err)
				}
				w.run(20 * time.Millisecond)
			}
			w.mixer.Close()
		}
	})
}
