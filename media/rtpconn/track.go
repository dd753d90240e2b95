package rtpconn

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// track is what a session receives in one codec.
type track struct {
	session *Session
	id      string
	format  media.Format
	packets fanout
	noise   fanout
	done    chan struct{}
	once    sync.Once
}

var (
	_ media.Track          = (*track)(nil)
	_ media.BitrateTaker   = (*track)(nil)
	_ media.SenderReporter = (*track)(nil)
	_ NoiseSource          = (*track)(nil)
)

// NoiseSource is a Track whose source may describe silence instead of sending
// it. Comfort noise (RFC 3389) never reaches writers attached by Attach.
type NoiseSource interface {
	// AttachNoise adds a consumer of comfort noise packets; see Track.Attach.
	AttachNoise(w media.Writer) (detach func())
}

func (t *track) ID() string                        { return t.id }
func (t *track) Role() media.Role                  { return t.session.cfg.Role }
func (t *track) Format() media.Format              { return t.format }
func (t *track) Done() <-chan struct{}             { return t.done }
func (t *track) Attach(w media.Writer) func()      { return t.packets.attach(w) }
func (t *track) AttachNoise(w media.Writer) func() { return t.noise.attach(w) }
func (t *track) RequestKeyframe()                  { t.session.RequestKeyframe() }
func (t *track) TakeBitrate(bps int)               { t.session.RequestBitrate(bps) }
func (t *track) NTP() (ntp uint64, stamp uint32, ok bool) {
	return t.session.in.clock()
}
func (t *track) String() string { return t.id + "(" + t.format.String() + ")" }

func (t *track) end() { t.once.Do(func() { close(t.done) }) }

// fanout hands packets to any number of writers. Adding and removing copies the
// list; handing out takes no lock but each writer's own, which nobody contends
// for but a detach.
type fanout struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*attachment]
}

type attachment struct {
	mu     sync.Mutex
	writer media.Writer // nil once detached
}

func (f *fanout) attach(w media.Writer) (detach func()) {
	a := &attachment{writer: w}
	f.change(func(list []*attachment) []*attachment { return append(list, a) })
	return func() {
		f.change(func(list []*attachment) []*attachment {
			return slices.DeleteFunc(list, func(o *attachment) bool { return o == a })
		})
		a.mu.Lock() // waits for the WriteRTP that is under way
		a.writer = nil
		a.mu.Unlock()
	}
}

func (f *fanout) change(edit func([]*attachment) []*attachment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []*attachment
	if old := f.list.Load(); old != nil {
		list = slices.Clone(*old)
	}
	list = edit(list)
	f.list.Store(&list)
}

// write gives p to every writer; what they return is theirs to count.
func (f *fanout) write(p *rtp.Packet) {
	list := f.list.Load()
	if list == nil {
		return
	}
	for _, a := range *list {
		a.mu.Lock()
		if a.writer != nil {
			_ = a.writer.WriteRTP(p)
		}
		a.mu.Unlock()
	}
}
