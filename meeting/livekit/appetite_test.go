package livekit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// kitchen is an SFU as LiveKit works, with somebody who wants the large picture and maybe
// somebody who wants the small one, and who publishes both; in a time of its own.
type kitchen struct {
	appetite
	t    *testing.T
	now  time.Time
	rate time.Duration // between packets of the large picture; 0: none are sent

	guests    bool // somebody wants the small picture
	seeder    bool // it asks for keyframes of the small picture each second, for nobody
	here      bool // it takes the small picture for there
	seen      bool // it has seen it before
	cycles    int  // of 500 ms with packets of it, in a row
	packets   int  // in this one
	served    bool // those who want the small picture get it
	knocks    int
	smallSent int
}

func newKitchen(t *testing.T) *kitchen {
	k := &kitchen{t: t, now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), rate: 20 * time.Millisecond}
	k.offer(true, k.now)
	k.told(true, true, k.now)
	k.began()
	return k
}

// pass lets time go by, in steps of 10 ms.
func (k *kitchen) pass(d time.Duration) {
	for range d / (10 * time.Millisecond) {
		k.now = k.now.Add(10 * time.Millisecond)
		at := k.now.Sub(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC))
		if k.rate > 0 && at%k.rate == 0 && k.sent(k.now) {
			k.knocks++
			k.arrives(false)
		}
		if at%(30*time.Millisecond) == 0 && k.sends(k.now) {
			k.smallSent++
			k.arrives(true)
		}
		if at%(500*time.Millisecond) == 0 {
			k.cycle()
		}
		if at%(200*time.Millisecond) == 0 && k.guests && k.here && !k.served {
			k.askedSmall(k.now)
		}
		if at%time.Second == 0 {
			if k.seeder {
				k.askedSmall(k.now)
			}
			k.tick(k.now)
		}
	}
}

// arrives takes a packet of the small size, with a picture or without.
func (k *kitchen) arrives(picture bool) {
	k.packets++
	if !k.seen {
		k.seen, k.here = true, true
	}
	if picture {
		k.seeder = false
		k.served = k.served || k.here && k.guests
	}
}

// cycle is LiveKit's look at what came in 500 ms.
func (k *kitchen) cycle() {
	k.cycles++
	if k.packets == 0 {
		k.cycles = 0
		if k.served && k.here {
			k.askedLarge(k.now) // they are switched to the large picture
		}
		k.here, k.served = false, false
	}
	if k.cycles >= 4 {
		k.here = k.seen
	}
	k.packets = 0
}

func TestAppetiteFollowsWhoIsThere(t *testing.T) {
	k := newKitchen(t)
	k.pass(time.Minute)
	require.False(t, k.isWanted(), "for nobody")
	require.Positive(t, k.knocks)
	require.LessOrEqual(t, k.knocks, 80, "knocks in a minute")
	require.Zero(t, k.smallSent)

	k.guests = true
	k.pass(12 * time.Second)
	require.True(t, k.isWanted())
	require.True(t, k.served)
	knocks := k.knocks

	// Somebody leaves, who did not want it: those who do miss it for a moment, no more.
	k.others(true, k.now)
	before := k.smallSent
	k.pass(10 * time.Second)
	require.True(t, k.isWanted())
	require.True(t, k.served)
	require.InDelta(t, 10*33, k.smallSent-before, 40)
	require.Equal(t, knocks, k.knocks, "knocked at an open door")

	k.guests, k.served = false, false
	k.pass(time.Minute)
	require.True(t, k.isWanted(), "nothing happened that may have ended it")
	k.others(true, k.now)
	k.pass(5 * time.Second)
	require.False(t, k.isWanted())
	before = k.smallSent
	k.pass(time.Minute)
	require.Equal(t, before, k.smallSent)
}

// The longer somebody has wanted it in spite of doubts, the fewer there are; without any
// reason there is one in five minutes.
func TestAppetiteDoubtsLessAndLess(t *testing.T) {
	k := newKitchen(t)
	k.guests = true
	doubts := func(d time.Duration) (n int) {
		for range d / time.Second {
			k.others(true, k.now)
			was := k.state
			k.pass(time.Second)
			if was == fed && k.state == doubting {
				n++
			}
			require.True(t, k.isWanted() || k.now.Sub(k.since) < 10*time.Second)
		}
		return n
	}
	require.LessOrEqual(t, doubts(10*time.Minute), 7)
	require.LessOrEqual(t, doubts(30*time.Minute), 6)

	k.doubtful, k.guests, k.served = false, false, false
	k.pass(6 * time.Minute)
	require.False(t, k.isWanted())
}

// What the SFU asks for by itself is for nobody.
func TestAppetiteOfTheSeeder(t *testing.T) {
	k := newKitchen(t)
	k.seeder = true
	k.pass(30 * time.Second)
	require.False(t, k.isWanted())
	k.guests = true
	k.pass(12 * time.Second)
	require.True(t, k.isWanted())
}

// A large picture of few packets, or one that stands still, must not be found gone by the SFU
// while the small one is there.
func TestAppetiteSparesTheLargePicture(t *testing.T) {
	k := newKitchen(t)
	k.guests = true
	k.rate = 200 * time.Millisecond
	k.pass(time.Minute)
	require.Zero(t, k.knocks)
	k.rate = 20 * time.Millisecond
	k.pass(25 * time.Second)
	require.True(t, k.isWanted())
	k.rate = 0 // the terminal's network is gone
	k.pass(500 * time.Millisecond)
	sent := k.smallSent
	k.pass(2 * time.Second)
	require.Equal(t, sent, k.smallSent)
	k.rate = 20 * time.Millisecond
	k.pass(recovery - time.Second)
	require.Equal(t, sent, k.smallSent)
	k.pass(15 * time.Second)
	require.Greater(t, k.smallSent, sent)
}

func TestAppetiteForTheSmallPictureAlone(t *testing.T) {
	k := newKitchen(t)
	require.True(t, k.told(true, false, k.now))
	require.True(t, k.isAlone())
	k.rate = 0
	k.pass(10 * time.Minute)
	require.True(t, k.isWanted(), "it is known for certain")
	require.InDelta(t, 20_000, k.smallSent, 60)
	require.True(t, k.offer(false, k.now), "there is none")
	require.False(t, k.sends(k.now))
	require.True(t, k.offer(true, k.now))
	require.True(t, k.told(false, false, k.now))
	k.pass(time.Minute)
	require.False(t, k.isWanted())
	k.told(true, false, k.now)
	require.True(t, k.reset(), "another session")
	require.False(t, k.isAlone())
}
