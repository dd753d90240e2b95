package livekit

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/roomgate/roomgate/media/rtpconn/rate"
)

// way finds out what the network carries of a video to the SFU, by the SFU's receiver
// reports (RFC 3550 §6.4.2) and by what it asks for again (RFC 4585 §6.2.1).
type way struct {
	path rate.Path
	told tally
}

// tally is what was counted when the way was looked at last.
type tally struct {
	at             time.Time
	sequence, lost uint32
	octets, resent uint32
}

// The way is judged by what went over it in a while.
const (
	lookPause   = 500 * time.Millisecond
	lookLongest = 10 * time.Second
	lookPackets = 20
)

// see takes a report; the bound is in bit/s, 0 for none.
func (w *way) see(r rtcp.ReceptionReport, octets, resent uint32, now time.Time) (bound int, changed bool) {
	next := tally{at: now, sequence: r.LastSequenceNumber, lost: r.TotalLost & 0xffffff, octets: octets, resent: resent}
	passed, packets := now.Sub(w.told.at), next.sequence-w.told.sequence
	switch {
	case w.told.at.IsZero(), passed > lookLongest, packets > 1<<20:
		w.told = next
		return w.path.Limit(), false
	case passed < lookPause || packets < lookPackets:
		return w.path.Limit(), false
	}
	lost := max(0, int32(next.lost-w.told.lost), int32(next.resent-w.told.resent))
	loss := min(1, float64(lost)/float64(packets))
	arrived := float64(next.octets-w.told.octets) * 8 / passed.Seconds() * (1 - loss)
	w.told = next
	return w.path.See(now, rate.Sight{Loss: loss, Bps: int(arrived)})
}
