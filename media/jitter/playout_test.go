package jitter_test

import (
	"math"
	"testing"
	"time"

	"github.com/roomgate/roomgate/media/jitter"
	"github.com/roomgate/roomgate/media/level"
	"github.com/roomgate/roomgate/media/noise"
	"github.com/roomgate/roomgate/media/tone"
)

const rate = 8000

// player is a Playout with a source of 20 ms packets and a reader, in steps of
// 20 ms: first the packets that have come, then the read.
type player struct {
	p        *jitter.Playout
	sound    *tone.Generator
	position int64
	now      int64
	heard    []int16
}

func newPlayer() *player {
	return &player{p: jitter.NewPlayout(rate), sound: tone.NewGenerator(rate, 250, -10)}
}

func (y *player) write(packets int) {
	for range packets {
		pcm := make([]int16, 160)
		y.sound.Read(pcm)
		y.p.Write(pcm, y.position, false, y.now)
		y.position += 160
	}
}

func (y *player) read() int {
	y.now += int64(20 * time.Millisecond)
	pcm := make([]int16, 160)
	n := y.p.Read(pcm, y.now)
	y.heard = append(y.heard, pcm...)
	return n
}

// Sound that comes steadily is played as it came, from the first read on.
func TestPlayoutSteady(t *testing.T) {
	y := newPlayer()
	y.read()
	for range 100 {
		y.write(1)
		if y.read() != 160 {
			t.Fatal("not all from the source")
		}
	}
	want := make([]int16, 160*100)
	tone.NewGenerator(rate, 250, -10).Read(want)
	for i := range want {
		if y.heard[160+i] != want[i] {
			t.Fatalf("sample %d differs", i)
		}
	}
}

// A late packet makes the delay grow at once by as much, is concealed, and does
// not happen again.
func TestPlayoutGrowsAtOnce(t *testing.T) {
	y := newPlayer()
	for i := range 200 {
		switch i % 10 {
		case 5: // late
		case 6:
			y.write(2)
		default:
			y.write(1)
		}
		y.read()
	}
	st := y.p.Stats()
	if st.Underruns != 1 || st.Concealed != 160 || y.p.Delay() > 20*time.Millisecond {
		t.Errorf("%+v, delay %v", st, y.p.Delay())
	}
	if m := tone.Measure(y.heard[1600:9600], rate); m.Purity < 0.99 {
		t.Errorf("heard %+v", m)
	}
}

// A delay that is not needed any more goes, without a click even in sound that
// has no pause.
func TestPlayoutShrinks(t *testing.T) {
	y := newPlayer()
	y.write(6)
	for range 1500 {
		y.write(1)
		y.read()
	}
	if d := y.p.Delay(); d > 45*time.Millisecond {
		t.Errorf("delay stays at %v: %+v", d, y.p.Stats())
	}
	if m := tone.Measure(y.heard, rate); m.Purity < 0.9 {
		t.Errorf("heard %+v", m)
	}
	// No step is steeper than the tone itself, by more than a half.
	steepest := 1.5 * 32768 * math.Pow(10, -0.5) * 2 * math.Pi * 250 / rate
	for i := 1; i < len(y.heard); i++ {
		if d := float64(y.heard[i]) - float64(y.heard[i-1]); math.Abs(d) > steepest {
			t.Fatalf("a step of %.0f at sample %d", d, i)
		}
	}
}

// A source that pauses on purpose is followed by comfort noise of the level it
// stated, and the pause does not make the delay grow.
func TestPlayoutPause(t *testing.T) {
	y := newPlayer()
	for range 10 {
		for range 20 {
			y.write(1)
			y.read()
		}
		y.p.Pause(noise.White(-50))
		for range 30 {
			y.read()
			y.position += 160
		}
		if l := level.DBov(y.heard[len(y.heard)-1600:]); math.Abs(l+50) > 1.5 {
			t.Errorf("background at %.1f dBov", l)
		}
	}
	if st := y.p.Stats(); st.Underruns > 0 || y.p.Delay() > 20*time.Millisecond {
		t.Errorf("%+v, delay %v", st, y.p.Delay())
	}
}

// What stands for lost samples is not played when the reader has made up for
// them already.
func TestPlayoutLeavesOutLateGuesses(t *testing.T) {
	y := newPlayer()
	y.write(1)
	y.read()
	y.read() // the next one is lost
	y.p.Write(make([]int16, 160), y.position, true, y.now)
	y.position += 160
	y.write(1)
	y.read()
	if d := y.p.Delay(); d != 0 {
		t.Errorf("%v in the buffer", d)
	}
}

// A burst beyond all reason does not stay.
func TestPlayoutIsBounded(t *testing.T) {
	y := newPlayer()
	y.write(5000)
	y.read()
	if d := y.p.Delay(); d > 600*time.Millisecond {
		t.Errorf("%v in the buffer", d)
	}
	if y.p.Stats().Dropped == 0 {
		t.Error("nothing was dropped")
	}
	// Positions that jump do not matter either.
	for _, jump := range []int64{1 << 40, -(1 << 41), 159, -159, 3999, 4001} {
		y.position += jump
		y.write(1)
		y.read()
	}
}

func TestPlayoutDoesNotAllocate(t *testing.T) {
	p := jitter.NewPlayout(48000)
	pcm := make([]int16, 960)
	at := int64(0)
	if n := testing.AllocsPerRun(500, func() {
		p.Write(pcm, at, false, at)
		p.Read(pcm, at)
		at += 960
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
