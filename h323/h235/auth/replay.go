package auth

import (
	"sync"
	"time"
)

// key is a sender as the replay books know it: only who has proved to know a password
// is in them, so that they are no larger than the directory.
type key struct {
	method Method
	sender string
}

// stamp is what makes a token different from the next.
type stamp struct {
	time   uint32 // seconds since 1970
	random uint32
}

// seen is a stamp that was accepted, and when first.
type seen struct {
	stamp
	first uint32 // seconds since 1970 by our clock
}

const (
	// maxSeen bounds what is kept of one sender. Of a sender that signs more often
	// within the window the oldest tokens are refused whether they were used or not.
	maxSeen = 512
	// reuse is how long a Password token goes on being taken: it has no random number,
	// so that all messages of one second have the same.
	reuse = 30 * time.Second
)

// replays keeps the tokens that were accepted for as long as their time would let them
// be accepted again.
type replays struct {
	window time.Duration

	mu    sync.Mutex
	by    map[key]*history
	swept time.Time
}

// history is what one sender has used.
type history struct {
	used []seen
	// floor is the time of the latest token that was forgotten before it was too old.
	floor uint32
}

// admit notes a token; false means that it was used before.
func (r *replays) admit(k key, s stamp, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	oldest := uint32(now.Add(-r.window).Unix())
	r.sweep(now, oldest)
	h := r.by[k]
	if h == nil {
		if r.by == nil {
			r.by = make(map[key]*history)
		}
		h = new(history)
		r.by[k] = h
	}
	if s.time <= h.floor {
		return false
	}
	for _, u := range h.used {
		if u.stamp == s {
			return k.method == Password && uint32(now.Unix())-u.first <= uint32(reuse/time.Second)
		}
	}
	h.note(seen{s, uint32(now.Unix())}, oldest)
	return true
}

// note keeps s in place of one that is too old to come again, or else of the oldest when
// there are too many.
func (h *history) note(s seen, oldest uint32) {
	first := 0
	for i, u := range h.used {
		if u.time < h.used[first].time {
			first = i
		}
	}
	switch {
	case len(h.used) > 0 && h.used[first].time < oldest:
		h.used[first] = s
	case len(h.used) < maxSeen:
		h.used = append(h.used, s)
	default:
		h.floor = max(h.floor, h.used[first].time)
		h.used[first] = s
	}
}

// sweep forgets senders that have been away for the whole window.
func (r *replays) sweep(now time.Time, oldest uint32) {
	if now.Sub(r.swept) < r.window {
		return
	}
	r.swept = now
	for k, h := range r.by {
		if !h.recent(oldest) {
			delete(r.by, k)
		}
	}
}

func (h *history) recent(oldest uint32) bool {
	for _, u := range h.used {
		if u.time >= oldest {
			return true
		}
	}
	return h.floor >= oldest
}
