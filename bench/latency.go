package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/roomgate/roomgate/bench/traffic"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/level"
	"github.com/roomgate/roomgate/transcode"
)

// latency is what the gateway adds to sound, told by bursts in silence, and how
// soon after the answer there is something to hear and see.
func (r *run) latency(ctx context.Context) error {
	st, err := r.newStage(ctx, setup{}, 16)
	if err != nil {
		return err
	}
	defer st.close()
	if err := r.soundDelay(ctx, st); err != nil {
		return err
	}
	return r.firstMedia(ctx, st)
}

// burst tells where in a stream a burst begins.
type burst struct {
	sender *stamps
	took   *delays
	loud   func(payload []byte) bool
	now    bool
}

func (b *burst) heard(now time.Time, payload []byte) {
	loud := b.loud(payload)
	if loud && !b.now {
		if d, ok := b.sender.since(1, now); ok && d < 300*time.Millisecond {
			b.took.add(d)
		}
	}
	b.now = loud
}

// louder is the level in dBov from which a packet belongs to a burst, whatever
// gain is on it.
const louder = -42

// bySamples decodes packets of f.
func bySamples(f media.Format) func(payload []byte) bool {
	d, err := (&transcode.Codecs{}).NewDecoder(f, 8000)
	pcm := make([]int16, 8000/50)
	return func(payload []byte) bool {
		if err != nil {
			return false
		}
		n, err := d.Decode(pcm, payload)
		return err == nil && n > 0 && level.DBov(pcm[:n]) > louder
	}
}

// lookAhead is by how much libopus delays what it encodes.
const lookAhead = 6.5

func (r *run) soundDelay(ctx context.Context, st *stage) error {
	phoneBursts, err := traffic.Bursts(pcmu, 8000)
	if err != nil {
		return err
	}
	browserBursts, err := traffic.Bursts(opus, 48000)
	if err != nil {
		return err
	}
	var up, down, direct delays
	fromPhone, fromBrowser := newStamps(), newStamps()
	join := func(room, who string, play casting) error {
		_, err := st.join(ctx, room, who, play)
		return err
	}
	call := func(room string, i int, play casting) error {
		_, err := st.dial(ctx, i, room, play)
		return err
	}
	atPhone := &burst{sender: fromBrowser, took: &down, loud: bySamples(pcmu)}
	atPartner := &burst{sender: fromPhone, took: &up, loud: bySamples(opus)}
	atOther := &burst{sender: fromBrowser, took: &direct, loud: bySamples(opus)}
	buffer := newBuffer(st.wheel)
	for _, step := range []func() error{
		func() error { return join("up", "partner", casting{heard: atPartner.heard}) },
		func() error { return call("up", 0, casting{sound: phoneBursts, loud: fromPhone}) },
		func() error { return join("down", "partner", casting{sound: browserBursts, loud: fromBrowser}) },
		func() error {
			return join("down", "other", casting{heard: func(now time.Time, payload []byte) {
				atOther.heard(now, payload)
				buffer.packet(now)
			}})
		},
		func() error { return call("down", 1, casting{heard: atPhone.heard}) },
		func() error { return pause(ctx, 8*time.Second) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	for _, d := range []*delays{&up, &down, &direct, &buffer.kept} {
		d.reset()
	}
	if err := pause(ctx, 2*r.window()); err != nil {
		return err
	}
	if up.count() == 0 || down.count() == 0 || direct.count() == 0 {
		return fmt.Errorf("no bursts: %d up, %d down, %d direct", up.count(), down.count(), direct.count())
	}
	sfu, kept := direct.quantile(0.5), buffer.kept.quantile(0.5)
	r.add(Figure{Scenario: "latency", Name: "terminal -> SFU, added p95", Value: up.quantile(0.95) - sfu, Unit: "ms", Target: 12,
		Note: fmt.Sprintf("%d bursts: p50 %.1f, p95 %.1f ms; %.1f ms of it the SFU", up.count(), up.quantile(0.5), up.quantile(0.95), sfu)})
	r.add(Figure{Scenario: "latency", Name: "SFU -> terminal, added p95", Value: down.quantile(0.95) - sfu - kept - lookAhead, Unit: "ms", Target: 30,
		Note: fmt.Sprintf("%d bursts: p50 %.1f, p95 %.1f ms; without SFU, jitter buffer (%.1f ms) and look-ahead (%.1f ms)",
			down.count(), down.quantile(0.5), down.quantile(0.95), kept, lookAhead)})
	return nil
}

// firstMedia calls meetings where somebody speaks and shows.
func (r *run) firstMedia(ctx context.Context, st *stage) error {
	vowel, err := traffic.Steady(opus, 48000)
	if err != nil {
		return err
	}
	if _, err := st.join(ctx, "show", "partner", casting{sound: vowel, pictures: true}); err != nil {
		return err
	}
	calls := 12
	if r.in.Quick {
		calls = 6
	}
	var audio, video delays
	for i := range calls {
		var heard, seen atomic.Int64
		loud := bySamples(pcmu)
		p, err := st.dial(ctx, 2+i, "show", casting{
			sound: &traffic.Sound{Format: pcmu, Packets: [][]byte{make([]byte, 160)}, Levels: []uint8{127}}, pictures: true,
			heard: func(now time.Time, payload []byte) {
				if heard.Load() == 0 && loud(payload) {
					heard.Store(now.UnixNano())
				}
			},
			seen: func(now time.Time, payload []byte) {
				if seen.Load() == 0 && traffic.Stamp(payload) != 0 {
					seen.Store(now.UnixNano())
				}
			},
		})
		if err != nil {
			return err
		}
		if err := pause(ctx, 1500*time.Millisecond); err != nil {
			return err
		}
		if at := heard.Load(); at != 0 {
			audio.add(time.Duration(at - p.answered.UnixNano()))
		}
		if at := seen.Load(); at != 0 {
			video.add(time.Duration(at - p.answered.UnixNano()))
		}
		st.hangUp()
	}
	for _, f := range []struct {
		name   string
		took   *delays
		target float64
	}{{"first sound after the 200 OK", &audio, 300}, {"first picture after the 200 OK", &video, 500}} {
		if f.took.count() < calls {
			return fmt.Errorf("%s: in %d of %d calls", f.name, f.took.count(), calls)
		}
		r.add(Figure{Scenario: "latency", Name: f.name + ", p95", Value: f.took.quantile(0.95), Unit: "ms", Target: f.target,
			Note: fmt.Sprintf("p50 %.0f ms; the other side spoke all along", f.took.quantile(0.5))})
	}
	return nil
}
