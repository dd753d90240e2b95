package h264

import (
	"bytes"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// camera is a source that plays a vector, a picture each 40 ms of the wall
// clock when told to step; it jumps to the next IDR when asked for one.
type camera struct {
	mu       sync.Mutex
	name     string
	pictures [][][]byte
	at       int
	stamp    uint32
	packets  *Packetizer
	writers  []media.Writer
	wanted   bool
	asked    int
	limits   []int
	done     chan struct{}
	clock    atomic.Uint32 // stamp, for who asks without the lock
}

func newCamera(t *testing.T, name string) *camera {
	c := &camera{name: name, pictures: pictures(t, vector(t, name)), stamp: 1 << 31, done: make(chan struct{})}
	c.at = 1 // in the middle of a group
	c.clock.Store(c.stamp)
	c.packets = NewPacketizer(media.WriterFunc(c.fan), 1, 0)
	return c
}

func (c *camera) ID() string            { return c.name }
func (c *camera) Role() media.Role      { return media.Main }
func (c *camera) Format() media.Format  { return media.Format{Codec: media.H264, ClockRate: 90000} }
func (c *camera) Done() <-chan struct{} { return c.done }

func (c *camera) TakeBitrate(bps int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limits = append(c.limits, bps)
}

// requests is how often a keyframe was asked for.
func (c *camera) requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

func (c *camera) taken() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]int(nil), c.limits...)
}

func (c *camera) NTP() (uint64, uint32, bool) { return 99, c.clock.Load(), true }

func (c *camera) RequestKeyframe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	c.wanted = true
}

func (c *camera) Attach(w media.Writer) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writers = append(c.writers, w)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i, o := range c.writers {
			if o == w {
				c.writers = append(c.writers[:i], c.writers[i+1:]...)
				return
			}
		}
	}
}

func (c *camera) fan(p *rtp.Packet) error {
	for _, w := range c.writers {
		q := *p
		_ = w.WriteRTP(&q)
	}
	return nil
}

func opensIDR(picture [][]byte) bool {
	for _, nal := range picture {
		if TypeOf(nal) == IDR {
			return true
		}
	}
	return false
}

func (c *camera) step() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wanted {
		c.wanted = false
		for range c.pictures {
			if opensIDR(c.pictures[c.at%len(c.pictures)]) {
				break
			}
			c.at++
		}
	}
	picture := c.pictures[c.at%len(c.pictures)]
	c.at++
	c.stamp += 3600
	c.clock.Store(c.stamp)
	for i, nal := range picture {
		_ = c.packets.Write(Unit{nal, c.stamp, i == len(picture)-1})
	}
}

// receiver collects what a leg would get, and when.
type receiver struct {
	collector
	at []time.Time
}

func (r *receiver) WriteRTP(p *rtp.Packet) error {
	r.at = append(r.at, time.Now())
	return r.collector.WriteRTP(p)
}

func newReceiver() *receiver { return &receiver{collector: *newCollector()} }

type switchTest struct {
	t      *testing.T
	sw     *Switch
	leg    *receiver
	mu     sync.Mutex
	states []State
}

func startSwitch(t *testing.T, r Receiver) *switchTest {
	st := &switchTest{t: t, leg: newReceiver()}
	st.leg.depack = NewDepacketizer(
		func(u Unit) { st.leg.units = append(st.leg.units, bytes.Clone(u.NAL)) }, func(n int) { st.leg.lost += n })
	if r.Format.ProfileLevelID == 0 {
		r.Format = media.H264Format{ProfileLevelID: 0x64001f, PacketizationMode: 1}
	}
	st.sw = NewSwitch(SwitchConfig{ID: "sw", Role: media.Main, Receiver: r, OnState: func(s State) {
		st.mu.Lock()
		st.states = append(st.states, s)
		st.mu.Unlock()
	}})
	t.Cleanup(st.sw.Close)
	t.Cleanup(st.sw.Attach(st.leg))
	return st
}

func (st *switchTest) play(pictures int, cameras ...*camera) {
	for range pictures {
		for _, c := range cameras {
			c.step()
		}
		time.Sleep(40 * time.Millisecond)
		synctest.Wait()
	}
}

func (st *switchTest) phase(want Phase, source media.Track) {
	st.t.Helper()
	got := st.sw.State()
	assert.Equal(st.t, want, got.Phase, got.Reason)
	assert.Equal(st.t, source, got.Source)
}

// continuous checks what every receiver relies on: sequence without a gap,
// timestamps that follow the wall clock, one marker per picture.
func (st *switchTest) continuous() {
	st.t.Helper()
	for i := 1; i < len(st.leg.packets); i++ {
		a, b := st.leg.packets[i-1], st.leg.packets[i]
		assert.Equal(st.t, a.SequenceNumber+1, b.SequenceNumber)
		assert.Equal(st.t, a.Marker, a.Timestamp != b.Timestamp)
		wall := st.leg.at[i].Sub(st.leg.at[i-1]) * clockRate / time.Second
		assert.InDelta(st.t, float64(wall), float64(b.Timestamp-a.Timestamp), 91)
	}
}

func TestSwitchGoesOverAtKeyframe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newCamera(t, "baseline"), newCamera(t, "intra")
		st := startSwitch(t, Receiver{})
		st.sw.Select(a)
		st.play(20, a, b)
		st.phase(Forwarding, a)
		assert.NotZero(t, a.requests())

		slow := b
		slow.pictures = slow.pictures[:0]
		for i, p := range pictures(t, vector(t, "baseline")) { // a group that is long under way
			if i > 0 && !opensIDR(p) {
				slow.pictures = append(slow.pictures, p)
			}
		}
		st.sw.Select(slow)
		st.play(10, a, slow)
		st.phase(Waiting, slow)
		assert.Equal(t, media.Track(a), st.sw.State().Shown, "the one before goes on")
		before := len(st.leg.packets)
		st.play(5, a, slow)
		assert.Greater(t, len(st.leg.packets), before)

		b.pictures = pictures(t, vector(t, "intra"))
		st.play(10, a, b)
		st.phase(Forwarding, b)
		assert.Len(t, a.writers, 0, "detached")
		_, _, ok := st.sw.NTP()
		assert.True(t, ok)
		st.continuous()
		n, _ := decode(t, st.leg.annexB())
		assert.Greater(t, n, 40)

		st.sw.Select(nil)
		st.phase(Idle, nil)
		before = len(st.leg.packets)
		st.play(5, a, b)
		assert.Len(t, st.leg.packets, before)
	})
}

// All pictures of "intra" are IDR. After a change of source, and between
// pictures, neighbours bear different identifiers, and all decode.
func TestSwitchAdjacentIDRs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cameras := []*camera{newCamera(t, "intra"), newCamera(t, "intra"), newCamera(t, "baseline-slices"), newCamera(t, "main-cabac"), newCamera(t, "baseline")}
		st := startSwitch(t, Receiver{})
		for i := range 40 {
			st.sw.Select(cameras[i%len(cameras)])
			st.play(1+i%3, cameras...)
		}
		st.continuous()
		var sets parameterSets
		last, lastFirst := -1, false
		idrs := 0
		for _, nal := range st.leg.units {
			switch ty := TypeOf(nal); {
			case ty == SPSUnit || ty == PPSUnit:
				require.NoError(t, sets.put(nal))
			case ty == IDR:
				sps, _, firstMB := sets.of(nal)
				h, err := ParseSliceHeader(nal, sps)
				require.NoError(t, err)
				if firstMB == 0 {
					idrs++
					assert.NotEqual(t, last, int(h.IDRPicID), "neighbours")
				} else {
					assert.True(t, lastFirst)
					assert.Equal(t, last, int(h.IDRPicID), "slices of one picture")
				}
				last, lastFirst = int(h.IDRPicID), true
			default:
				last, lastFirst = -1, false
			}
		}
		assert.Greater(t, idrs, 20)
		n, _ := decode(t, st.leg.annexB())
		assert.Greater(t, n, 40)
	})
}

func TestSwitchRefusesAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newCamera(t, "baseline")
		landscape, portrait := a.pictures, pictures(t, vector(t, "portrait"))
		st := startSwitch(t, Receiver{})
		st.sw.Select(a)
		st.play(15, a)
		st.phase(Forwarding, a)

		a.pictures, a.at = portrait, 0
		st.play(3, a)
		st.phase(Refused, a)
		assert.Contains(t, st.sw.State().Reason, "portrait")
		assert.Nil(t, st.sw.State().Shown)
		before := len(st.leg.packets)
		st.play(30, a)
		assert.Len(t, st.leg.packets, before, "nothing passes meanwhile")
		asked := a.requests()
		st.play(60, a)
		assert.Equal(t, asked, a.requests(), "nor are keyframes asked for")

		a.pictures, a.at = landscape, 0
		st.play(3, a)
		st.phase(Forwarding, a)
		st.continuous()
		st.mu.Lock()
		defer st.mu.Unlock()
		var phases []Phase
		for _, s := range st.states {
			if len(phases) == 0 || phases[len(phases)-1] != s.Phase {
				phases = append(phases, s.Phase)
			}
		}
		assert.Equal(t, []Phase{Waiting, Forwarding, Refused, Forwarding}, phases)
	})
}

func TestSwitchModeZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newCamera(t, "baseline-slices")
		st := startSwitch(t, Receiver{Format: media.H264Format{ProfileLevelID: 0x42e01f}})
		st.sw.Select(a)
		st.play(15, a)
		st.phase(Forwarding, a)
		a.pictures, a.at = pictures(t, vector(t, "big-idr")), 0
		st.play(2, a)
		st.phase(Refused, a)
		assert.Contains(t, st.sw.State().Reason, "packetization mode 0")
		a.pictures, a.at = pictures(t, vector(t, "baseline-slices")), 0
		st.play(25, a)
		assert.Zero(t, st.sw.State().Above, "the path is not why")
		st.phase(Refused, a) // the big slices are too fresh in memory
		st.play(150, a)
		st.phase(Forwarding, a)
		for _, p := range st.leg.packets {
			assert.LessOrEqual(t, p.MarshalSize(), DefaultPacket)
			assert.Less(t, TypeOf(p.Payload), stapA)
		}
	})
}

func TestSwitchBitrate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newCamera(t, "big-idr") // about 2 Mbit/s
		st := startSwitch(t, Receiver{})
		st.sw.TakeBitrate(300_000)
		st.sw.Select(a)
		st.play(10, a)
		st.phase(Forwarding, a) // not known yet
		assert.Equal(t, []int{300_000}, a.taken())
		st.play(120, a)
		st.phase(Refused, a)
		assert.Contains(t, st.sw.State().Reason, "kbit/s")
		above := st.sw.State().Above
		assert.Greater(t, above, 1_500_000)
		assert.False(t, Carries(st.sw.Bound(), above))
		st.sw.TakeBitrate(0)
		assert.True(t, Carries(st.sw.Bound(), above))
		st.play(60, a)
		st.phase(Forwarding, a)
		assert.Zero(t, st.sw.State().Above)
		assert.Equal(t, []int{300_000, 0}, a.taken())
	})
}

func TestSwitchSourceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newCamera(t, "baseline"), newCamera(t, "intra")
		st := startSwitch(t, Receiver{})
		st.sw.Select(a)
		st.play(15, a)
		st.sw.Select(b)
		close(a.done)
		synctest.Wait()
		st.phase(Waiting, b)
		assert.Nil(t, st.sw.State().Shown, "blank, not frozen on who left")
		st.play(2, b)
		st.phase(Forwarding, b)
		close(b.done)
		synctest.Wait()
		st.phase(Idle, nil)
		assert.Empty(t, b.writers)
		st.continuous()
	})
}

// A source that does not answer is asked again: often at first, then slowly.
func TestSwitchRepeatsKeyframeRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newCamera(t, "baseline")
		st := startSwitch(t, Receiver{})
		st.sw.Select(a)
		time.Sleep(1900 * time.Millisecond)
		synctest.Wait()
		early := a.requests()
		assert.InDelta(t, 4, early, 1) // the throttle's clock and the switch's may tick either way
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.InDelta(t, 5, a.requests()-early, 1)
	})
}

// A source is asked at once, whatever was asked when there was none, or of the
// one before.
func TestSwitchAsksEachSourceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newCamera(t, "baseline"), newCamera(t, "baseline")
		st := startSwitch(t, Receiver{})
		st.sw.RequestKeyframe()
		synctest.Wait()
		time.Sleep(50 * time.Millisecond)
		for _, source := range []*camera{a, b} {
			st.sw.Select(source)
			synctest.Wait()
			assert.Equal(t, 1, source.requests())
		}
	})
}

// Requests of many receivers become one per half second.
func TestSwitchCoalescesKeyframeRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newCamera(t, "baseline")
		st := startSwitch(t, Receiver{})
		st.sw.Select(a)
		st.play(15, a)
		before := a.requests()
		for range 50 { // two seconds, no picture
			for range 10 {
				st.sw.RequestKeyframe()
			}
			time.Sleep(40 * time.Millisecond)
		}
		synctest.Wait()
		assert.LessOrEqual(t, a.requests()-before, 5)
		assert.GreaterOrEqual(t, a.requests()-before, 4)
	})
}

func TestSwitchPassesLossOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newCamera(t, "baseline")
		st := startSwitch(t, Receiver{})
		st.sw.Select(a)
		st.play(15, a)
		asked := a.requests()
		a.packets.Skip()
		st.play(30, a)
		assert.Greater(t, a.requests(), asked)
		assert.Equal(t, 1, st.leg.lost)
	})
}

func TestSwitchConcurrently(t *testing.T) {
	a, b := newCamera(t, "baseline"), newCamera(t, "intra")
	sw := NewSwitch(SwitchConfig{Receiver: Receiver{Format: media.H264Format{ProfileLevelID: 0x64001f, PacketizationMode: 1}}})
	var wg sync.WaitGroup
	for _, c := range []*camera{a, b} {
		wg.Go(func() {
			for range 500 {
				c.step()
			}
		})
		wg.Go(func() {
			for range 500 {
				sw.Select(c)
			}
		})
		wg.Go(func() {
			for range 100 {
				detach := sw.Attach(media.WriterFunc(func(*rtp.Packet) error { return nil }))
				sw.State()
				sw.NTP()
				detach()
			}
		})
	}
	wg.Wait()
	sw.Close()
	sw.Close()
	assert.Empty(t, a.writers)
	assert.Empty(t, b.writers)
}

func TestSwitchAllocatesNothing(t *testing.T) {
	a := newCamera(t, "big-idr")
	sw := NewSwitch(SwitchConfig{Receiver: Receiver{Format: media.H264Format{ProfileLevelID: 0x64001f, PacketizationMode: 1}}})
	defer sw.Close()
	n := 0
	defer sw.Attach(media.WriterFunc(func(*rtp.Packet) error { n++; return nil }))()
	all := packets(t, vector(t, "big-idr"), 1, 0)
	sw.Select(a)
	in := a.writers[0]
	run := func() {
		for _, p := range all {
			_ = in.WriteRTP(p)
			p.SequenceNumber += uint16(len(all))
			p.Timestamp += 12 * 3600
		}
	}
	run()
	assert.Less(t, testing.AllocsPerRun(50, run)/float64(len(all)), 0.05, "per packet")
	assert.NotZero(t, n)
}

func BenchmarkSwitch(b *testing.B) {
	sw := NewSwitch(SwitchConfig{Receiver: Receiver{Format: media.H264Format{ProfileLevelID: 0x64001f, PacketizationMode: 1}}})
	defer sw.Close()
	defer sw.Attach(media.WriterFunc(func(*rtp.Packet) error { return nil }))()
	all := packets(b, vector(b, "big-idr"), 1, 0)
	a := &camera{done: make(chan struct{})}
	sw.Select(a)
	in := a.writers[0]
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p := all[i%len(all)]
		_ = in.WriteRTP(p)
		p.SequenceNumber += uint16(len(all))
		p.Timestamp += 12 * 3600
	}
}
