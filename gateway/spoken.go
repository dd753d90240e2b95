package gateway

import (
	"slices"
	"sync"
	"time"

	"github.com/roomgate/roomgate/gateway/lobby/prompt"
	"github.com/roomgate/roomgate/media/resample"
	"github.com/roomgate/roomgate/media/tone"
)

// Who comes by the lobby may say a name. It is told to the others in the meeting when they
// come and when they go, and is kept as long as the call.

// Names are who is asked for a name.
type Names string

// The values of Names.
const (
	NamesOff    Names = "off" // nobody; also ""
	NamesPhones Names = "phones"
	NamesAll    Names = "all"
)

// saysName reports whether the leg is to say a name.
func (s *session) saysName() bool {
	switch s.g.settings.Load().Lobby.Names {
	case NamesPhones:
		return !s.hasPicture()
	case NamesAll:
		return true
	}
	return false
}

const (
	listenEvery = 100 * time.Millisecond // whether a name has been said
	nameEnds    = 1200 * time.Millisecond
	nameMargin  = 250 * time.Millisecond // kept before the name and after it
	nameLeast   = 200 * time.Millisecond
	nameMost    = 7 * time.Second
	keyTone     = 100 * time.Millisecond // what is heard of a key before it is known for one
)

// nameTone says that it is listened.
var nameTone = tone.Beep(chimeRate, 1000, chimeRate/5)

// toneGone is when an echo of it is over.
const toneGone = 400 * time.Millisecond

// recorder keeps what is said, from a moment on.
type recorder struct {
	now  func() time.Time
	from time.Time

	mu          sync.Mutex
	pcm         []int16
	rate        int
	first, last int // sample of the first and after the last speech
	heard       time.Time
}

// write is a mixer.Tap.
func (r *recorder) write(pcm []int16, rate int, speech bool) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.from) || len(r.pcm) > int(nameMost.Seconds()*float64(rate)) {
		return
	}
	if rate != r.rate { // of the mixer; it begins anew
		r.pcm, r.rate, r.heard = nil, rate, time.Time{}
	}
	if speech {
		if r.heard.IsZero() {
			r.first = len(r.pcm)
		}
		r.heard, r.last = now, len(r.pcm)+len(pcm)
	}
	r.pcm = append(r.pcm, pcm...)
}

// over reports whether something was said and there has been silence since.
func (r *recorder) over(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.heard.IsZero() && now.Sub(r.heard) >= nameEnds
}

// said is what was said, at prompt.Rate; nil: nothing. The tone of a key at its end is left
// out.
func (r *recorder) said(key bool) []int16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.heard.IsZero() {
		return nil
	}
	samples := func(d time.Duration) int { return int(d.Seconds() * float64(r.rate)) }
	end := len(r.pcm)
	if key {
		end -= samples(keyTone)
	}
	if min(r.last, end)-r.first < samples(nameLeast) {
		return nil
	}
	pcm := r.pcm[max(r.first-samples(nameMargin), 0):min(r.last+samples(nameMargin), end)]
	if r.rate == prompt.Rate {
		return pcm
	}
	re, err := resample.New(r.rate, prompt.Rate)
	if err != nil {
		return nil
	}
	out := make([]int16, re.Len(len(pcm)))
	return out[:re.Write(out, pcm)]
}

// record listens to the caller, after a tone.
func (a *attendant) record() {
	now := a.s.g.in.Now
	a.name = &recorder{now: now, from: now().Add(toneGone)}
	a.member.Play(nameTone, chimeRate, true)
	a.member.Overhear(a.name.write)
}

// keepName keeps what was said as the caller's name.
func (a *attendant) keepName(key bool) {
	a.member.Overhear(nil)
	name := a.name.said(key)
	a.name = nil
	a.s.mu.Lock()
	a.s.spokenName = name
	a.s.mu.Unlock()
}

// toldName is the name that was said and what is told of it, in one language: that of who
// said it, where it is known. Nil: no name was said.
func (s *session) toldName(id prompt.ID) []int16 {
	s.mu.Lock()
	name := s.spokenName
	s.mu.Unlock()
	if len(name) == 0 {
		return nil
	}
	gap := make([]int16, chimeRate/5)
	told := s.g.in.Prompts.Sound(prompt.Clip{Language: s.spoken()[0], ID: id})
	return slices.Concat(gap, name, gap[:len(gap)/4], told)
}
