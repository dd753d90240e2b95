package offer

import (
	"strconv"
	"strings"

	"github.com/roomgate/roomgate/media"
)

// EventSet is a set of the RFC 4733 events 0 to 15: bit n stands for event n.
type EventSet uint16

// AllEvents are the sixteen keys: 0-9, *, #, A-D.
const AllEvents EventSet = 0xffff

// readEvents reads the list of a=fmtp, for example "0-15,32". Nothing, or
// nothing legible, means the sixteen keys (RFC 4733 §2.4.1).
func readEvents(value string) EventSet {
	var set EventSet
	value, _, _ = strings.Cut(value, ";")
	value = strings.TrimPrefix(strings.TrimSpace(value), "events=")
	for _, item := range strings.Split(value, ",") {
		low, high, ranged := strings.Cut(strings.TrimSpace(item), "-")
		if !ranged {
			high = low
		}
		first, err1 := strconv.ParseUint(strings.TrimSpace(low), 10, 8)
		last, err2 := strconv.ParseUint(strings.TrimSpace(high), 10, 8)
		if err1 != nil || err2 != nil {
			continue
		}
		for e := first; e <= min(last, 15); e++ {
			set |= 1 << e
		}
	}
	if set == 0 {
		return AllEvents
	}
	return set
}

// String writes the list as it stands in a=fmtp: "0-15".
func (s EventSet) String() string {
	var items []string
	for e := 0; e < 16; e++ {
		if s&(1<<e) == 0 {
			continue
		}
		last := e
		for last < 15 && s&(1<<(last+1)) != 0 {
			last++
		}
		item := strconv.Itoa(e)
		if last > e {
			item += "-" + strconv.Itoa(last)
		}
		items = append(items, item)
		e = last
	}
	return strings.Join(items, ",")
}

// pairedEvents finds the telephone-event payload that goes with a codec: the
// one of its clock (RFC 4733 §2.1 wants timestamps to share it), or else the
// one at 8000 Hz, or else any.
func pairedEvents(list []payload, clock uint32) (payload, bool) {
	var best payload
	rank := 0
	for _, p := range list {
		r := 0
		switch {
		case p.Codec != media.TelephoneEvent || p.ClockRate == 0:
			continue
		case p.ClockRate == clock:
			r = 3
		case p.ClockRate == 8000:
			r = 2
		default:
			r = 1
		}
		if r > rank {
			best, rank = p, r
		}
	}
	return best, rank > 0
}

func (p payload) asEvents() Events {
	return Events{PayloadType: p.PayloadType, ClockRate: p.ClockRate, Set: p.events}
}
