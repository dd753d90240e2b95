package rtpconn

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"

	"github.com/roomgate/roomgate/media/rtpconn/feedback"
)

// bitrates are the bounds of both directions, in bit/s; zero is none.
type bitrates struct {
	mu sync.Mutex
	// what we send
	negotiated int
	requested  int          // by TMMBR
	commanded  int          // by H.245 flow control
	estimate   int          // by REMB
	carried    int          // by the path, as reports show it
	limit      int          // the least of them
	narrow     atomic.Int64 // the least but negotiated: the path's
	// what we receive
	consumer int  // what takes the track wants
	carries  int  // what the path carries
	wanted   int  // the less of them
	asked    bool // a bound was ever told
	told     bool // the far side has heard of wanted, or does not answer
	attempts int
	next     time.Time
}

// A TMMBR is repeated until it is answered (RFC 5104 §3.5.4.1), and REMB is
// repeated because it is only an estimate.
const (
	tmmbrRetry    = time.Second
	tmmbrAttempts = 5
	rembPause     = 2 * time.Second
	// packetOverhead is RTP, UDP and IPv4 headers, in octets a packet.
	packetOverhead = 40
)

// SendLimit is what the far side takes now, in bit/s, from negotiation, TMMBR,
// flow control, REMB and its reports of loss; zero means no bound.
func (s *Session) SendLimit() int {
	s.reach.mu.Lock()
	defer s.reach.mu.Unlock()
	return s.reach.limit
}

// setLimit changes a bound and tells what is published, and the owner when the
// least of them has changed by the far side's doing.
func (s *Session) setLimit(change func(*bitrates)) {
	if limit, changed := s.bound(change); changed {
		s.emit(Event{Kind: SendLimited, Bitrate: limit})
	}
}

func (s *Session) bound(change func(*bitrates)) (limit int, changed bool) {
	b := &s.reach
	b.mu.Lock()
	change(b)
	for _, bound := range []int{b.negotiated, b.requested, b.commanded, b.estimate, b.carried} {
		if bound > 0 && (limit == 0 || bound < limit) {
			limit = bound
		}
	}
	narrow := 0
	for _, bound := range []int{b.requested, b.commanded, b.estimate, b.carried} {
		if bound > 0 && (narrow == 0 || bound < narrow) {
			narrow = bound
		}
	}
	b.narrow.Store(int64(narrow))
	changed = limit != b.limit
	b.limit = limit
	b.mu.Unlock()
	if pub := s.published(); changed && pub != nil {
		pub.limit(limit)
	}
	return limit, changed
}

// maxRate keeps what a far side asks for within an int.
const maxRate = 1 << 40

// limited takes a TMMBR, and answers it, or the answer to ours (RFC 5104 §3.5.4).
func (s *Session) limited(t *feedback.TMMB) {
	if t.Notify {
		s.reach.mu.Lock()
		s.reach.told = true
		s.reach.mu.Unlock()
		return
	}
	for _, e := range t.Entries {
		if e.SSRC != s.SSRC() && len(t.Entries) > 1 {
			continue
		}
		bound := e
		s.setLimit(func(b *bitrates) { b.requested = int(min(bound.Bitrate, maxRate)) })
		// The bounding set of a session of two is the one request.
		bound.SSRC = t.Sender
		s.sendFeedback(feedback.TMMB{Notify: true, Sender: s.SSRC(), Entries: []feedback.MaxBitrate{bound}}.Marshal())
		return
	}
}

// estimated takes a REMB.
func (s *Session) estimated(bps float64) {
	s.setLimit(func(b *bitrates) { b.estimate = int(min(bps, maxRate)) })
}

// RequestBitrate asks the far side to send no more than bps, by TMMBR or REMB
// where agreed, else by Config.BitrateFallback; zero lifts the bound. It reports whether the far side can be
// told.
func (s *Session) RequestBitrate(bps int) bool {
	s.reach.mu.Lock()
	s.reach.consumer = bps
	s.reach.mu.Unlock()
	return s.askBitrate()
}

// askBitrate asks for the less of what is wanted and what the path carries.
func (s *Session) askBitrate() bool {
	agreed := s.agreed.Load()
	can := agreed != nil && (agreed.Feedback.TMMBR || agreed.Feedback.REMB)
	s.reach.mu.Lock()
	bps := s.reach.consumer
	if c := s.reach.carries; c > 0 && (bps == 0 || c < bps) {
		bps = c
	}
	changed := bps != s.reach.wanted
	if changed {
		s.reach.wanted, s.reach.told, s.reach.attempts, s.reach.next = bps, false, 0, time.Time{}
	}
	s.reach.mu.Unlock()
	s.rouse()
	if fallback := s.cfg.BitrateFallback; changed && !can && agreed != nil && fallback != nil {
		fallback(bps)
		return true
	}
	return can
}

// tellBitrate sends the bound on what we receive when it is time to.
func (s *Session) tellBitrate(agreed *agreement, now time.Time) {
	ssrc, known := s.in.remote()
	if !known || !agreed.Feedback.TMMBR && !agreed.Feedback.REMB {
		return
	}
	bps, due := s.reach.due(now, agreed.Feedback.TMMBR)
	if !due {
		return
	}
	if bps == 0 {
		bps = unbounded
	}
	if agreed.Feedback.TMMBR {
		s.sendFeedback(feedback.TMMB{Sender: s.SSRC(), Entries: []feedback.MaxBitrate{
			{SSRC: ssrc, Bitrate: uint64(bps), Overhead: packetOverhead},
		}}.Marshal())
		return
	}
	remb := rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: s.SSRC(), Bitrate: float32(bps), SSRCs: []uint32{ssrc}}
	if b, err := remb.Marshal(); err == nil {
		s.sendFeedback(b)
	}
}

// unbounded lifts a bound that was asked for before.
const unbounded = 100_000_000

func (b *bitrates) due(now time.Time, answered bool) (bps int, due bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.told || now.Before(b.next) || b.wanted == 0 && !b.asked {
		return 0, false
	}
	b.asked = true
	b.attempts++
	b.next = now.Add(rembPause)
	if answered {
		b.next = now.Add(tmmbrRetry)
		b.told = b.attempts >= tmmbrAttempts
	} else if b.wanted == 0 {
		b.told = b.attempts >= 2
	}
	return b.wanted, true
}
