package videotest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/testcard"
	"github.com/roomgate/roomgate/transcode/video"
)

// Viewer decodes a track and reads the test cards on it.
type Viewer struct {
	Source *video.Source
	// Fresh gets a signal for every picture.
	Fresh chan struct{}

	mu    sync.Mutex
	cards []testcard.Seen
	last  []testcard.Seen
	psnr  []float64
	took  []time.Duration
}

// Watch reads cards from pictures scaled to w by h. With sent, pictures that
// show one card alone are compared to it and timed.
func Watch(t testing.TB, s *video.Stage, from media.Track, w, h int, sent func(counter int) time.Time) *Viewer {
	t.Helper()
	v := &Viewer{Fresh: make(chan struct{}, 1)}
	source, err := s.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	v.Source = source
	source.View(w, h, true, func(i video.Image) {
		now := time.Now()
		seen := testcard.Read(i.Data, i.Width, i.Height)
		v.mu.Lock()
		defer v.mu.Unlock()
		v.last = seen
		v.cards = append(v.cards, seen...)
		if len(seen) == 1 && sent != nil {
			v.psnr = append(v.psnr, testcard.PSNR(i.Data, testcard.Draw(nil, w, h, seen[0].Card), w, h))
			v.took = append(v.took, now.Sub(sent(seen[0].Counter)))
		}
		select {
		case v.Fresh <- struct{}{}:
		default:
		}
	})
	return v
}

// Seen is every card so far.
func (v *Viewer) Seen() []testcard.Seen {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.cards)
}

// Last is the cards on the last picture.
func (v *Viewer) Last() []testcard.Seen {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.last
}

// Shows reports whether the last picture shows just these identities.
func (v *Viewer) Shows(identities ...int) bool {
	var got []int
	for _, s := range v.Last() {
		got = append(got, s.Identity)
	}
	slices.Sort(got)
	slices.Sort(identities)
	return slices.Equal(got, identities)
}

// Quality is how good and how late pictures of one card were.
func (v *Viewer) Quality() (psnr []float64, took []time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.psnr), slices.Clone(v.took)
}

// Forget drops what was seen.
func (v *Viewer) Forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cards, v.last = nil, nil
}
