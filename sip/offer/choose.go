package offer

import "github.com/roomgate/roomgate/media"

// choice is a payload of theirs and the capability of ours that takes it.
type choice struct {
	ours   media.Format
	theirs payload
}

// choose picks the payload to use by name, never by position: our order of
// preference decides, and where two of ours are as good as each other (the two
// laws of G.711) the order of the far side. Among H.264 payloads the
// packetization mode must be ours and the profile one that we take; one of
// exactly our profile goes before another. Mode 0 is taken as the last resort
// by who can do mode 1.
func choose(ours []media.Format, theirs []payload) (choice, bool) {
	var best choice
	bestCost, rank := -1, -1
	for i, our := range ours {
		if i == 0 || !asGood(ours[i-1], our) {
			rank++
		}
		if !isCodec(our) {
			continue
		}
		for _, their := range theirs {
			penalty, ok := fit(our, their.Format)
			if !ok {
				continue
			}
			cost := rank*costOfRank + penalty
			if bestCost < 0 || cost < bestCost {
				best, bestCost = choice{our, their}, cost
			} else if cost == bestCost && before(theirs, their, best.theirs) {
				best = choice{our, their}
			}
		}
	}
	return best, bestCost >= 0
}

// Costs of a fit that is not exact.
const (
	otherProfileCost = 1
	costOfRank       = 2
	otherModeCost    = 1 << 20 // beyond every rank
)

// fit reports whether a payload of theirs is one encoding with a format of
// ours, and how far it is from it.
func fit(our, their media.Format) (penalty int, ok bool) {
	if !same(our, their) {
		return 0, false
	}
	if our.Codec != media.H264 {
		return 0, true
	}
	p, o := profileOf(our.H264.ProfileLevelID), profileOf(their.H264.ProfileLevelID)
	switch {
	case !p.takes(o):
		return 0, false
	case p != o:
		penalty += otherProfileCost
	}
	switch their.H264.PacketizationMode {
	case our.H264.PacketizationMode:
	case 0:
		penalty += otherModeCost
	default:
		return 0, false
	}
	return penalty, true
}

// asGood: neither sounds better.
func asGood(a, b media.Format) bool {
	g711 := func(f media.Format) bool { return f.Codec == media.PCMA || f.Codec == media.PCMU }
	return g711(a) && g711(b)
}

// before reports whether a stands before b in the list.
func before(list []payload, a, b payload) bool {
	for _, p := range list {
		switch p.PayloadType {
		case a.PayloadType:
			return a.PayloadType != b.PayloadType
		case b.PayloadType:
			return false
		}
	}
	return false
}

// comfortNoise finds the CN payload of a codec's clock, if we can do CN.
func comfortNoise(ours []media.Format, theirs []payload, clock uint32) (payload, bool) {
	for _, our := range ours {
		if our.Codec != media.ComfortNoise || our.ClockRate != clock {
			continue
		}
		for _, p := range theirs {
			if p.Codec == media.ComfortNoise && p.ClockRate == clock {
				return p, true
			}
		}
	}
	return payload{}, false
}
