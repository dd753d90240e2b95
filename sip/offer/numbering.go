package offer

import (
	"slices"

	"github.com/roomgate/roomgate/media"
)

// numbering gives payload types to what we offer on one m-line. A type keeps
// the meaning it ever had on that line (RFC 3264 §8.3.2).
type numbering struct {
	line *line
	used [maxFormats]bool
}

// payloads are our codecs for the role of a line, in order of preference but
// with the one in use first, then telephone-event for each of their clocks.
func (o *offering) payloads(l *line) []payload {
	n := numbering{line: l}
	var list []payload
	formats := o.local.formats(l.role)
	inUse, ok := choose(formats, l.stated)
	if ok = ok && l.open; ok {
		list = append(list, n.repeat(inUse))
	}
	for _, f := range formats {
		if isCodec(f) && !(ok && f == inUse.ours) {
			p := payload{Format: f}
			p.PayloadType = n.number(f, f.PayloadType)
			list = append(list, p)
		}
	}
	if l.role == media.Audio && o.local.Capabilities.Keypad {
		return append(list, n.events(list)...)
	}
	return list
}

// events are the telephone-event payloads that go with a list of codecs, that
// of 8000 Hz first: the one every phone knows, under its usual number. It goes
// with G.722.1 too: so room systems have it, and an offer fits a datagram.
func (n *numbering) events(codecs []payload) []payload {
	var clocks []uint32
	for _, c := range codecs {
		clock := c.ClockRate
		if c.Codec == media.G7221 {
			clock = 8000
		}
		if clock == 8000 && !slices.Contains(clocks, 8000) {
			clocks = slices.Insert(clocks, 0, 8000)
		} else if !slices.Contains(clocks, clock) {
			clocks = append(clocks, clock)
		}
	}
	var list []payload
	for _, clock := range clocks {
		p := payload{Format: media.Format{Codec: media.TelephoneEvent, ClockRate: clock}, events: AllEvents}
		p.PayloadType = n.number(p.Format, usualEvents)
		list = append(list, p)
	}
	return list
}

// usualEvents is the payload type most phones give to telephone-event.
const usualEvents = 101

// repeat states the codec in use as before, payload type and profile included.
func (n *numbering) repeat(c choice) payload {
	p := c.theirs // here: what we stated ourselves
	n.used[p.PayloadType] = true
	stated := p.H264
	p.Format, p.PayloadType = c.ours, c.theirs.PayloadType
	p.H264 = stated
	return p
}

// number finds a payload type: the one that had the same meaning, the static
// one, the one proposed, or the next that is free.
func (n *numbering) number(f media.Format, proposed uint8) uint8 {
	for pt := uint8(0); pt < maxFormats; pt++ {
		if meaning, ok := n.line.meanings[pt]; ok && !n.used[pt] {
			if penalty, ok := fit(f, meaning); ok && penalty == 0 {
				n.used[pt] = true
				return pt
			}
		}
	}
	for pt := uint8(0); pt < firstDynamic; pt++ {
		if same(f, static[pt]) && n.free(pt) {
			return pt
		}
	}
	if proposed >= firstDynamic && proposed < maxFormats && n.free(proposed) {
		return proposed
	}
	for pt := uint8(firstDynamic); pt < maxFormats; pt++ {
		if n.free(pt) {
			return pt
		}
	}
	return n.reuse()
}

// firstDynamic payload type of RFC 3551 §6.
const firstDynamic = 96

// free takes a payload type that never had a meaning.
func (n *numbering) free(pt uint8) bool {
	if _, had := n.line.meanings[pt]; had || n.used[pt] {
		return false
	}
	n.used[pt] = true
	return true
}

// reuse takes any dynamic payload type that this offer does not use: after
// 32 meanings there is no other way.
func (n *numbering) reuse() uint8 {
	for pt := uint8(firstDynamic); pt < maxFormats; pt++ {
		if !n.used[pt] {
			n.used[pt] = true
			return pt
		}
	}
	return firstDynamic
}
