package mixer_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/roomgate/roomgate/media/mixer"
)

// room is the noise of a room, at about -60 dBov, into which somebody may speak.
func room(voice *func([]int16)) func([]int16) {
	r := rand.New(rand.NewPCG(1, 2))
	return func(pcm []int16) {
		clear(pcm)
		if *voice != nil {
			(*voice)(pcm)
		}
		for i := range pcm {
			pcm[i] += int16(r.NormFloat64() * 30)
		}
	}
}

// Who only listens costs next to nothing: a packet without sound begins the
// pause, a few keep the background true, and speech passes from its first
// packet on, at its time.
func TestUplinkRestsWhileNobodySpeaks(t *testing.T) {
	w := newWorld(t, mixer.Config{})
	in := w.input("phone", pcmu)
	up, err := in.Uplink(opus)
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, up)
	var voice func([]int16)
	s := w.source(in, pcmu, room(&voice))
	w.run(5 * time.Second) // the background becomes known
	before := l.packets
	w.run(10 * time.Second)
	if got := l.packets - before; got < 20 || got > 40 {
		t.Errorf("%d packets in 10 s of quiet", got)
	}
	if m := l.tail(200 * time.Millisecond); m.Level > -45 || m.Level < -85 {
		t.Errorf("the background is heard at %.1f dBFS", m.Level)
	}

	voice = sine(8000, 440, -20)
	before = l.packets
	sent := s.sent
	w.run(time.Second)
	if got, want := l.packets-before, s.sent-sent; got < want-1 {
		t.Errorf("%d of %d packets of speech", got, want)
	}
	if m := l.tail(500 * time.Millisecond); m.Frequency < 438 || m.Frequency > 442 || m.Purity < 0.95 {
		t.Errorf("speech after a pause: %+v", m)
	}
	if l.breaks > 0 {
		t.Errorf("%d breaks", l.breaks)
	}

	voice = nil
	before = l.packets
	w.run(500 * time.Millisecond)
	if got := l.packets - before; got < 24 {
		t.Errorf("the end of speech is cut: %d packets in 0.5 s", got)
	}
}

// Faint speech is no background: it passes whole.
func TestUplinkTakesFaintSpeech(t *testing.T) {
	w := newWorld(t, mixer.Config{})
	in := w.input("phone", pcmu)
	up, err := in.Uplink(opus)
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, up)
	var voice func([]int16)
	s := w.source(in, pcmu, room(&voice))
	w.run(4 * time.Second)
	before, sent := l.packets, s.sent
	voice = sine(8000, 440, -50)
	w.run(time.Second)
	if got, want := l.packets-before, s.sent-sent; got < want-1 {
		t.Errorf("%d of %d packets", got, want)
	}
}
