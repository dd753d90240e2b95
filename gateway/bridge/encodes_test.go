package bridge_test

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/testcard"
	"github.com/roomgate/roomgate/transcode/video/videotest"
)

// alikes are streams of terminals that differ in what they say and need the same picture:
// 640x360 at 384 kbit/s.
var alikes = []media.Stream{
	takes(h264At(30, 1), 450_000), takes(h264At(30, 0), 450_000), takes(h264At(30, 1), 430_000), takes(h264At(30, 1), 420_000),
}

// crowd seats legs that need the same; the first of them have cameras of VP8, which is
// passed on to nobody, with the identities 10, 11, ...
func (th *theatre) crowd(from, n, cameras int) (legs []*fakeLeg, members []*bridge.Member) {
	th.t.Helper()
	var cams []*videotest.Camera
	for i := from; i < from+n; i++ {
		var clip *videotest.Clip
		if i < cameras {
			clip = clipOf(th.t, media.Format{Codec: media.VP8, ClockRate: 90000}, 640, 360, 10+i)
		}
		leg, m, cam := th.seat(fmt.Sprintf("leg%02d", i), alikes[i%len(alikes)], clip)
		legs, members = append(legs, leg), append(members, m)
		if cam != nil {
			cams = append(cams, cam)
		}
	}
	if len(cams) > 0 {
		videotest.Roll(th.t, cams...)
	}
	return legs, members
}

func (th *theatre) encoders() int { return th.pool.Stats().Encoders }

// A meeting costs one encode for all who need the same, and one more for each who would
// see themselves; how many look makes no difference.
func TestScreensAreMadeOncePerView(t *testing.T) {
	const cameras = 6
	all := []int{10, 11, 12, 13, 14, 15}
	for _, tc := range []struct {
		kind layout.Kind
		want int
		sees func(viewer int) []int // the first of them large, where one is
	}{
		{layout.Grid2, 1 + 4, func(viewer int) []int { // a view for each of the four who are shown
			return slices.DeleteFunc(slices.Clone(all), func(id int) bool { return id == viewer })[:4]
		}},
		{layout.Grid3, 1, func(int) []int { return all }},
		{layout.Speaker, 1 + 1, func(viewer int) []int { // small pictures show the viewer, the large one does not
			if viewer == 10 {
				return []int{11, 10, 12, 13, 14, 15}
			}
			return all
		}},
		{layout.Single, 1 + 1, func(viewer int) []int {
			if viewer == 10 {
				return []int{11}
			}
			return []int{10}
		}},
	} {
		t.Run(string(tc.kind), func(t *testing.T) {
			t.Parallel()
			th := newTheatre(t, nil, tc.kind)
			legs, _ := th.crowd(0, cameras, cameras)
			for i, leg := range legs {
				v := th.watch(leg)
				eventually(t, fmt.Sprintf("%d sees %v", 10+i, tc.sees(10+i)), func() bool {
					return v.Shows(tc.sees(10+i)...) && (tc.kind != layout.Speaker || largest(v) == tc.sees(10 + i)[0])
				})
				v.Source.Close() // one looks at a time, which is less work
			}
			eventually(t, fmt.Sprintf("%d encoders, of the %d there are", tc.want, th.encoders()), func() bool { return th.encoders() == tc.want })
			more, members := th.crowd(cameras, cameras, 0)
			for _, leg := range more {
				keyed := &pictureCounter{}
				eventually(t, "a picture is published", func() bool { return leg.publishes(media.Main) != nil })
				t.Cleanup(leg.publishes(media.Main).Attach(keyed))
				eventually(t, "a keyframe for who has come", func() bool { _, keys := keyed.counts(); return keys > 0 })
			}
			assert.Equal(t, tc.want, th.encoders(), "twice as many look")
			for _, m := range members {
				assert.Equal(t, members[0].Facts(media.Main, true).Pipeline, m.Facts(media.Main, true).Pipeline)
			}
		})
	}
}

// largest is who has the largest tile.
func largest(v *videotest.Viewer) int {
	seen := v.Last()
	if len(seen) == 0 {
		return -1
	}
	return slices.MaxFunc(seen, func(a, b testcard.Seen) int { return cmp.Compare(a.Rect.Dx(), b.Rect.Dx()) }).Identity
}

// pictureCounter counts pictures of H.264 and those of them that are keyframes.
type pictureCounter struct {
	mu             sync.Mutex
	began          bool
	stamp, key     uint32
	pictures, keys int
}

// WriteRTP implements media.Writer. Slices fit one packet each (RFC 6184 §5.6).
func (c *pictureCounter) WriteRTP(p *rtp.Packet) error {
	const idr = 5
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.began || p.Timestamp != c.stamp {
		c.pictures++
	}
	if p.Payload[0]&0x1f == idr && (c.keys == 0 || p.Timestamp != c.key) {
		c.keys++
		c.key = p.Timestamp
	}
	c.began, c.stamp = true, p.Timestamp
	return nil
}

func (c *pictureCounter) counts() (pictures, keys int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pictures, c.keys
}

// Who asks for keyframes without end, and who comes meanwhile, makes no more encoders, no
// more pictures, and keyframes no faster than they mend anything.
func TestKeyframeStorms(t *testing.T) {
	t.Parallel()
	th := newTheatre(t, nil, layout.Grid3)
	legs, _ := th.crowd(0, 8, 3)
	v := th.watch(legs[7])
	eventually(t, "all cards", func() bool { return v.Shows(10, 11, 12) })
	eventually(t, "one encoder", func() bool { return th.encoders() == 1 })

	counter := &pictureCounter{}
	t.Cleanup(legs[7].publishes(media.Main).Attach(counter))
	eventually(t, "its first keyframe", func() bool { _, keys := counter.counts(); return keys > 0 })
	pictures, keys := counter.counts()
	began, asked := time.Now(), 0
	storm := func(until int) func() bool {
		return func() bool {
			for _, leg := range legs {
				leg.publishes(media.Main).RequestKeyframe()
				asked++
			}
			now, _ := counter.counts()
			return now-pictures >= until
		}
	}
	eventually(t, "pictures in a storm", storm(45))
	_, joined := counter.counts()
	calm := time.Since(began)
	late, _ := th.crowd(8, 2, 0)
	for _, leg := range late {
		eventually(t, "a picture is published", func() bool { return leg.publishes(media.Main) != nil })
	}
	legs = append(legs, late...)
	eventually(t, "pictures in a storm with more", storm(110))
	elapsed := time.Since(began)
	afterPictures, afterKeys := counter.counts()

	t.Logf("%d requests in %v: %d pictures, %d of them keyframes", asked, elapsed, afterPictures-pictures, afterKeys-keys)
	per := func(d, interval time.Duration) int { return int(d/interval) + 1 }
	assert.LessOrEqual(t, joined-keys, per(calm, 900*time.Millisecond)+1, "keyframes while nobody comes")
	assert.LessOrEqual(t, afterKeys-keys, per(elapsed, 900*time.Millisecond)+1+per(elapsed-calm, 500*time.Millisecond), "keyframes in all")
	assert.Greater(t, afterKeys, keys, "who asks gets one")
	assert.LessOrEqual(t, afterPictures-pictures, int(elapsed.Seconds()*30)+3, "30 pictures a second")
	assert.Equal(t, 1, th.encoders(), "encoders")
}
