package terminal

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/testcard"
	"github.com/roomgate/roomgate/media/tone"
	"github.com/roomgate/roomgate/transcode/video/cards"
)

// SyncReport is how sound and picture fit together, by the sender reports of what was
// received.
type SyncReport struct {
	Pairs    int   `json:"pairs"`
	MedianMS int64 `json:"median_ms"` // by how much sound is later
	WorstMS  int64 `json:"worst_ms"`
}

// beeper is silent but for a beep with each card that begins a round.
type beeper struct {
	generator *tone.Generator
	left      atomic.Int64 // samples
	length    int64
}

// beepTime is how long a beep is: long enough for a mixer to take it for speech.
const beepTime = 300 * time.Millisecond

func newBeeper(rate int) *beeper {
	return &beeper{generator: tone.NewGenerator(rate, 1000, toneLevel), length: int64(beepTime.Seconds() * float64(rate))}
}

func (b *beeper) begin() { b.left.Store(b.length) }

// Read implements sound.
func (b *beeper) Read(pcm []int16) {
	n := min(b.left.Load(), int64(len(pcm)))
	clear(pcm)
	if n > 0 {
		b.generator.Read(pcm[:n])
		b.left.Add(-n)
	}
}

// lips is what the terminal sees of beeps and flashes.
type lips struct {
	mu    sync.Mutex
	pairs testcard.Lips
}

// hear looks for the beginning of a beep in a packet's samples.
func (l *lips) hear(pcm []int16, rate int, stamp uint32, t media.Track) {
	if clock, ok := t.(media.SenderReporter); ok {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.pairs.Hear(pcm, rate, stamp, t.Format().ClockRate, clock.NTP)
	}
}

// see notes a card.
func (l *lips) see(c testcard.Card, stamp uint32, t media.Track) {
	if clock, ok := t.(media.SenderReporter); ok {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.pairs.See(c, stamp, cards.FPS, clock.NTP)
	}
}

func (l *lips) report() *SyncReport {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &SyncReport{}
	list := l.pairs.Offsets()
	if r.Pairs = len(list); r.Pairs > 0 {
		r.MedianMS = list[len(list)/2].Milliseconds()
		r.WorstMS = list[0].Milliseconds()
		if last := list[len(list)-1]; last > -list[0] {
			r.WorstMS = last.Milliseconds()
		}
	}
	return r
}
