package digest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"
)

// A nonce is what the server hands out and recognises without having kept it:
//
//	8 bytes  time, Unix milliseconds
//	8 bytes  random
//	16 bytes HMAC-SHA-256 of the above, cut
const (
	nonceID  = 16
	nonceMAC = 16
)

type id [nonceID]byte

func (i id) issued() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(i[:])))
}

// mint makes nonces of one key.
type mint struct{ key [32]byte }

func newMint() *mint {
	m := &mint{}
	_, _ = rand.Read(m.key[:]) // never fails
	return m
}

func (m *mint) mac(i id) []byte {
	h := hmac.New(sha256.New, m.key[:])
	h.Write(i[:])
	return h.Sum(nil)[:nonceMAC]
}

func (m *mint) issue(now time.Time) string {
	var i id
	binary.BigEndian.PutUint64(i[:], uint64(now.UnixMilli()))
	_, _ = rand.Read(i[8:])
	return base64.RawURLEncoding.EncodeToString(append(i[:], m.mac(i)...))
}

// recognise returns the identity of a nonce of ours.
func (m *mint) recognise(nonce string) (id, bool) {
	var i id
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) != nonceID+nonceMAC {
		return i, false
	}
	copy(i[:], b)
	return i, hmac.Equal(b[nonceID:], m.mac(i))
}

// ledger remembers which counts of which nonces were used. It holds so many
// nonces and forgets the one first used longest ago; what was issued before a
// forgotten one counts as used.
type ledger struct {
	mu      sync.Mutex
	used    map[id]*counts
	order   []id // ring of the keys of used
	next    int
	horizon time.Time
}

// counts are the nonce counts seen, as the highest and the 64 up to it.
type counts struct {
	highest uint32
	seen    uint64 // bit n: highest-n
}

func newLedger(size int) *ledger {
	return &ledger{used: make(map[id]*counts), order: make([]id, 0, size)}
}

// spend records a use and reports whether it is the first. Without a quality
// of protection there is no count, and nc is 0: such a nonce is good once.
func (l *ledger) spend(i id, nc uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.used[i]
	if c == nil {
		if !i.issued().After(l.horizon) {
			return false
		}
		l.remember(i)
		l.used[i] = &counts{highest: nc, seen: 1}
		return true
	}
	switch {
	case nc == 0:
		return false
	case nc > c.highest:
		c.seen = c.seen<<min(nc-c.highest, 64) | 1
		c.highest = nc
		return true
	case c.highest-nc >= 64:
		return false
	}
	bit := uint64(1) << (c.highest - nc)
	first := c.seen&bit == 0
	c.seen |= bit
	return first
}

// remember enters a nonce, in place of the oldest when there is no room.
func (l *ledger) remember(i id) {
	if len(l.order) < cap(l.order) {
		l.order = append(l.order, i)
		return
	}
	old := l.order[l.next]
	if at := old.issued(); at.After(l.horizon) {
		l.horizon = at
	}
	delete(l.used, old)
	l.order[l.next] = i
	l.next = (l.next + 1) % len(l.order)
}
