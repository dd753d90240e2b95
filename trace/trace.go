// Package trace keeps the signalling messages of calls, for the ladder that operators
// look at. It is a leaf: the protocol stacks write, the API reads.
//
// What is kept is bounded: of each call the first messages and the last ones, of all
// calls so many bytes; the calls that ended first go first. Secrets never get in: the
// stacks mask them before they write (see Mask), octet for octet, so that what is kept
// can still be dissected.
package trace

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Protocol of a message.
type Protocol string

// Protocols.
const (
	SIP  Protocol = "sip"
	H225 Protocol = "h225" // call signalling: Q.931 with its user-user information
	RAS  Protocol = "ras"
	H245 Protocol = "h245"
	BFCP Protocol = "bfcp"
)

// Message is one message as it was on the wire, but for what was masked.
type Message struct {
	Time      time.Time
	In        bool
	Protocol  Protocol
	Transport string // udp, tcp, tls
	Local     netip.AddrPort
	Remote    netip.AddrPort
	// Summary names it: INVITE, 200 OK, SETUP, terminalCapabilitySet.
	Summary string
	Data    []byte // without TPKT
	// Within: it was carried in another message, which is here, too (H.245 tunnelled).
	Within bool
}

// Limits bound what is kept. Zero means the default.
type Limits struct {
	Calls     int           // 2000
	Bytes     int           // of all calls: 64 MiB
	First     int           // messages of the beginning of a call: 100
	Last      int           // messages of its end: 300
	PerCall   int           // bytes of a call: 512 KiB
	Message   int           // bytes of a message, longer ones are cut: 32 KiB
	KeepFor   time.Duration // after the end of the call: 1 hour
	Unclaimed int           // logs that no call has claimed yet: 500
}

func (l *Limits) withDefaults() {
	for v, d := range map[*int]int{&l.Calls: 2000, &l.Bytes: 64 << 20, &l.First: 100, &l.Last: 300, &l.PerCall: 512 << 10, &l.Message: 32 << 10, &l.Unclaimed: 500} {
		if *v <= 0 {
			*v = d
		}
	}
	if l.KeepFor <= 0 {
		l.KeepFor = time.Hour
	}
}

// overhead is what a message costs besides its octets.
const overhead = 200

// log is what is kept of a call, or of a key that no call has claimed.
type log struct {
	keys    []string // by which messages find it
	call    string   // "" = unclaimed
	first   []Message
	last    []Message
	bytes   int
	dropped int
	ended   time.Time
	order   uint64
}

// Recorder keeps messages. The nil Recorder keeps nothing. Its methods may be called
// from anywhere and do not block.
type Recorder struct {
	limits Limits
	now    func() time.Time

	mu     sync.Mutex
	byKey  map[string]*log
	byCall map[string]*log
	logs   map[*log]struct{}
	bytes  int
	order  uint64
}

// New makes a Recorder; now nil is time.Now.
func New(l Limits, now func() time.Time) *Recorder {
	l.withDefaults()
	if now == nil {
		now = time.Now
	}
	return &Recorder{limits: l, now: now, byKey: map[string]*log{}, byCall: map[string]*log{}, logs: map[*log]struct{}{}}
}

// Add keeps a message of a dialog: key is a SIP Call-ID or an H.225 call identifier,
// and the message of a call that has one. begins opens a log for a key that is new;
// other messages of unknown keys are not kept. Data is copied.
func (r *Recorder) Add(key string, m Message, begins bool) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.byKey[key]
	if l == nil {
		if !begins || r.full() {
			return
		}
		l = r.open()
		r.tie(l, key)
	}
	r.keep(l, m)
}

// Wants reports whether Add would keep a message.
func (r *Recorder) Wants(key string, begins bool) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return begins || r.byKey[key] != nil
}

// AddTo keeps a message of a call.
func (r *Recorder) AddTo(call string, m Message) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(r.ofCall(call), m)
}

// Bind says that a key belongs to a call, which may have several.
func (r *Recorder) Bind(key, call string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l, was := r.ofCall(call), r.byKey[key]
	if was == l {
		return
	}
	if was != nil && was.call == "" {
		for _, m := range was.all() {
			r.keep(l, m)
		}
		slices.SortStableFunc(l.first, byTime)
		slices.SortStableFunc(l.last, byTime)
		r.drop(was)
	}
	r.tie(l, key)
}

// End says that a call is over; it is kept for a while.
func (r *Recorder) End(call string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.byCall[call]; l != nil {
		l.ended = r.now()
	}
	for l := range r.logs {
		if !l.ended.IsZero() && r.now().Sub(l.ended) > r.limits.KeepFor {
			r.drop(l)
		}
	}
}

// Ladder is what is known of a call, in order of time; dropped counts messages of its
// middle that were not kept. ok is false for calls that are not known (any more).
func (r *Recorder) Ladder(call string) (list []Message, dropped int, ok bool) {
	if r == nil {
		return nil, 0, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.byCall[call]
	if l == nil || !l.ended.IsZero() && r.now().Sub(l.ended) > r.limits.KeepFor {
		return nil, 0, false
	}
	list = l.all()
	slices.SortStableFunc(list, byTime)
	return list, l.dropped, true
}

// Bytes is what all messages take.
func (r *Recorder) Bytes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes
}

func byTime(a, b Message) int { return a.Time.Compare(b.Time) }

func (l *log) all() []Message { return append(slices.Clone(l.first), l.last...) }

// full reports that too many logs wait for a call; the oldest goes.
func (r *Recorder) full() bool {
	count, oldest := 0, (*log)(nil)
	for l := range r.logs {
		if l.call == "" {
			count++
			if oldest == nil || l.order < oldest.order {
				oldest = l
			}
		}
	}
	if count >= r.limits.Unclaimed {
		r.drop(oldest)
	}
	return false
}

func (r *Recorder) open() *log {
	r.order++
	l := &log{order: r.order}
	r.logs[l] = struct{}{}
	return l
}

func (r *Recorder) ofCall(call string) *log {
	l := r.byCall[call]
	if l == nil {
		l = r.open()
		l.call = call
		r.byCall[call] = l
		r.shrink(l)
	}
	return l
}

func (r *Recorder) tie(l *log, key string) {
	const mostKeys = 16 // forks of a call
	if len(l.keys) >= mostKeys {
		return
	}
	l.keys = append(l.keys, key)
	r.byKey[key] = l
}

// keep puts a message in its place.
func (r *Recorder) keep(l *log, m Message) {
	if len(m.Data) > r.limits.Message {
		m.Data = m.Data[:r.limits.Message]
	}
	m.Data = slices.Clone(m.Data)
	if m.Time.IsZero() {
		m.Time = r.now()
	}
	if len(l.first) < r.limits.First {
		l.first = append(l.first, m)
	} else {
		l.last = append(l.last, m)
	}
	r.count(l, len(m.Data)+overhead)
	for len(l.last) > r.limits.Last || l.bytes > r.limits.PerCall && len(l.last) > 0 {
		r.count(l, -len(l.last[0].Data)-overhead)
		l.last = slices.Delete(l.last, 0, 1)
		l.dropped++
	}
	for l.bytes > r.limits.PerCall && len(l.first) > 1 {
		r.count(l, -len(l.first[len(l.first)-1].Data)-overhead)
		l.first = l.first[:len(l.first)-1]
		l.dropped++
	}
	r.shrink(l)
}

func (r *Recorder) count(l *log, n int) { l.bytes += n; r.bytes += n }

// shrink makes room: calls that have ended go first, then the oldest.
func (r *Recorder) shrink(spare *log) {
	for (r.bytes > r.limits.Bytes || len(r.byCall) > r.limits.Calls) && len(r.logs) > 1 {
		var goes *log
		for l := range r.logs {
			if l != spare && (goes == nil || before(l, goes)) {
				goes = l
			}
		}
		r.drop(goes)
	}
}

// before reports whether a has to go before b.
func before(a, b *log) bool {
	if a.ended.IsZero() != b.ended.IsZero() {
		return !a.ended.IsZero()
	}
	return a.order < b.order
}

func (r *Recorder) drop(l *log) {
	for _, key := range l.keys {
		if r.byKey[key] == l {
			delete(r.byKey, key)
		}
	}
	if r.byCall[l.call] == l {
		delete(r.byCall, l.call)
	}
	delete(r.logs, l)
	r.bytes -= l.bytes
}
