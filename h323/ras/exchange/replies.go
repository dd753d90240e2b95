package exchange

import (
	"bytes"
	"container/list"
	"hash/maphash"
	"sync"
	"time"

	"github.com/roomgate/roomgate/h323/ras"
)

// Replies keeps the latest answers, so that a request that arrives again is answered
// again and its work is not done twice. Safe for concurrent use.
type Replies struct {
	life time.Duration
	size int

	mu      sync.Mutex
	entries map[request]*list.Element
	order   list.List // of *reply, the oldest in front
}

// request names a request. Senders that start anew use the same numbers again with
// other contents, so the contents count too.
type request struct {
	from   ras.Path
	number uint16
	hash   uint64
}

// Request is the handle of a request that Begin found to be new.
type Request struct{ key request }

type reply struct {
	request
	began time.Time
	pdu   []byte // nil while it is worked on
}

var seed = maphash.MakeSeed()

// NewReplies keeps answers for life, at most size of them.
func NewReplies(life time.Duration, size int) *Replies {
	return &Replies{life: life, size: size, entries: make(map[request]*list.Element)}
}

// Begin looks a request up. New tells that it has to be worked on and Finish called.
// Otherwise answer is what was sent before, nil when the work is still under way.
func (r *Replies) Begin(now time.Time, from ras.Path, number uint16, pdu []byte) (q Request, answer []byte, isNew bool) {
	key := request{from, number, maphash.Bytes(seed, pdu)}
	r.mu.Lock()
	defer r.mu.Unlock()
	for e := r.order.Front(); e != nil; e = r.order.Front() {
		old := e.Value.(*reply)
		if now.Sub(old.began) < r.life && r.order.Len() < r.size {
			break
		}
		r.remove(e)
	}
	if e, ok := r.entries[key]; ok {
		return Request{key}, e.Value.(*reply).pdu, false
	}
	r.entries[key] = r.order.PushBack(&reply{request: key, began: now})
	return Request{key}, nil, true
}

// Finish keeps the answer of a request.
func (r *Replies) Finish(q Request, answer []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.entries[q.key]; ok {
		e.Value.(*reply).pdu = bytes.Clone(answer)
	}
}

func (r *Replies) remove(e *list.Element) {
	delete(r.entries, e.Value.(*reply).request)
	r.order.Remove(e)
}

// Len is the number of answers kept.
func (r *Replies) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.order.Len()
}
