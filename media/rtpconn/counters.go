package rtpconn

import "sync/atomic"

// Counters are datagrams that were not media, by reason.
type Counters struct {
	Malformed     uint64 // neither RTP nor RTCP nor anything known
	Stranger      uint64 // from an address media is not taken from
	Unauthentic   uint64 // failed authentication or was replayed; did not decrypt, or was in the clear
	Unnegotiated  uint64 // a payload type that was not agreed on
	Unwanted      uint64 // while the direction or the codec allowed no media
	Early         uint64 // before the first Apply, or before the DTLS handshake was done
	KeepAlive     uint64 // empty datagrams
	STUN          uint64
	Duplicate     uint64 // packets that came twice, or long after their turn
	SourceChanges uint64 // times the far side changed its SSRC
	Unsent        uint64 // packets of a published track that could not be sent
}

// Dropped is the sum of what was malformed, unauthenticated or a stranger's.
func (c Counters) Dropped() uint64 { return c.Malformed + c.Stranger + c.Unauthentic }

// tally is Counters as the hot path counts them.
type tally struct {
	malformed, stranger, unauthentic, unnegotiated, unwanted, early atomic.Uint64
	keepAlive, stun, duplicate, sourceChanges, unsent               atomic.Uint64
}

func (t *tally) counters() Counters {
	return Counters{
		Malformed: t.malformed.Load(), Stranger: t.stranger.Load(), Unauthentic: t.unauthentic.Load(),
		Unnegotiated: t.unnegotiated.Load(), Unwanted: t.unwanted.Load(), Early: t.early.Load(),
		KeepAlive: t.keepAlive.Load(), STUN: t.stun.Load(), Duplicate: t.duplicate.Load(),
		SourceChanges: t.sourceChanges.Load(), Unsent: t.unsent.Load(),
	}
}
