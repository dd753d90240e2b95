package control

import (
	"slices"

	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media"
)

// pick is what we would send in a role.
type pick struct {
	role      media.Role
	entry     entry        // of the far side's table
	format    media.Format // what we send: the limits are the far side's
	mode      packetization
	algorithm per.OID // of media encryption; "" in clear
}

// maxCandidates bounds the formats that are tried for a role.
const maxCandidates = 16

// candidates lists what we could send in a role, best first: our order of preference, then
// the nearest profile of H.264, then their order.
func (s *Session) candidates(role media.Role) []pick {
	var list []pick
	for _, ours := range formatsOf(&s.can, role) {
		for distance := range 2 {
			for _, theirs := range s.remote.entries {
				if theirs.role != role || len(list) >= maxCandidates || s.channels.refused[theirs.key()] {
					continue
				}
				if d, ok := suits(ours, theirs.format); !ok || d != distance {
					continue
				}
				if p, ok := s.pick(role, ours, theirs); ok && !picked(list, p) {
					list = append(list, p)
				}
			}
		}
	}
	if w := s.channels.wanted[role]; w != nil {
		slices.SortStableFunc(list, func(a, b pick) int { return w.rank(a.format) - w.rank(b.format) })
	}
	return list
}

func picked(list []pick, p pick) bool {
	return slices.ContainsFunc(list, func(q pick) bool { return q.entry.key() == p.entry.key() })
}

// key tells the entries of a table apart: one number may stand for several formats, and for
// others in the next set.
func (e entry) key() entryKey {
	return entryKey{e.number, e.role, e.format.Codec, e.format.Bitrate, e.format.H264.ProfileLevelID}
}

type entryKey struct {
	number  uint16
	role    media.Role
	codec   media.Codec
	bitrate int
	profile uint32
}

func formatsOf(can *media.Capabilities, role media.Role) []media.Format {
	switch role {
	case media.Audio:
		return can.Audio
	case media.Main:
		return can.Video
	case media.Camera:
		return cameraFormats(can)
	}
	return can.Content
}

// suits reports whether a format of ours can be sent to a receiver of theirs; distance is
// 0 for the same profile and 1 for one that includes ours.
func suits(ours, theirs media.Format) (distance int, ok bool) {
	if family(ours.Codec) != family(theirs.Codec) || ours.ClockRate != theirs.ClockRate {
		return 0, false
	}
	switch ours.Codec {
	case media.G7221:
		return 0, ours.Bitrate == 0 || ours.Bitrate == theirs.Bitrate
	case media.H264:
		o, t := ours.H264.ProfileLevelID, theirs.H264.ProfileLevelID
		if o>>16 == t>>16 {
			return 0, true
		}
		return 1, decodes(t, o)
	}
	return 0, true
}

// family is one word for both packetizations of H.263, of which H.245 speaks elsewhere.
func family(c media.Codec) media.Codec {
	if c == media.H263Plus {
		return media.H263
	}
	return c
}

// pick completes a candidate: packetization, encryption, payload type.
func (s *Session) pick(role media.Role, ours media.Format, theirs entry) (pick, bool) {
	p := pick{role: role, entry: theirs, format: theirs.format}
	p.format.Codec = ours.Codec
	p.format.PayloadType = payloadType(ours)
	p.format.Channels = ours.Channels
	p.format.Opus = ours.Opus
	if ours.Ptime > 0 && theirs.format.Ptime > 0 {
		p.format.Ptime = min(ours.Ptime, theirs.format.Ptime)
	}
	switch ours.Codec {
	case media.H264:
		if o, t := ours.H264.ProfileLevelID, theirs.format.H264.ProfileLevelID; o>>16 != t>>16 {
			p.format.H264.ProfileLevelID = o&^0xff | t&0xff // theirs includes more than we send
		}
		p.format.H264.AsymmetryAllowed = true
		p.format.H264.PacketizationMode = s.packetizationMode(role)
	case media.H263, media.H263Plus:
		if !s.remote.takesH263(packetizationOf(ours)) {
			return p, false
		}
	}
	p.mode = packetizationOf(p.format)
	var ok bool
	p.algorithm, ok = s.algorithm(theirs.number)
	return p, ok
}

// packetizationMode is how we send H.264: mode 1 where both can, otherwise single NAL units,
// which every terminal takes (H.241 clause 8.3.2.11).
func (s *Session) packetizationMode(role media.Role) uint8 {
	_, theirs := s.remote.packetizations[packetization{oid: oidH264NonInterleaved}]
	if !theirs {
		return 0
	}
	for _, f := range formatsOf(&s.can, role) {
		if f.Codec == media.H264 && f.H264.PacketizationMode == 1 {
			return 1
		}
	}
	return 0
}

// takesH263 reports whether a packetization of H.263 is taken. Who lists none takes the
// first, RFC 2190.
func (r *remoteSet) takesH263(p packetization) bool {
	_, old := r.packetizations[packetization{rfc: rfcH263}]
	_, plus := r.packetizations[packetization{rfc: rfcH263Old}]
	if p.rfc == rfcH263 {
		return old || !plus
	}
	return plus
}

// algorithm is how a channel to an entry is encrypted; ok is false when it may not be
// opened in clear, and cannot be encrypted.
func (s *Session) algorithm(number uint16) (per.OID, bool) {
	if s.cfg.Security != nil && s.encryption != off {
		theirs := s.remote.algorithms[number]
		for _, ours := range s.cfg.Security.Algorithms() {
			if slices.Contains(theirs, ours) {
				return ours, true
			}
		}
	}
	return "", s.encryption != require
}

// payloadType is the payload type that we propose for a format.
func payloadType(f media.Format) uint8 {
	switch f.Codec {
	case media.PCMU:
		return typePCMU
	case media.PCMA:
		return typePCMA
	case media.G722:
		return typeG722
	case media.H261:
		return typeH261
	case media.H263:
		return typeH263
	}
	if f.PayloadType >= firstDynamic && f.PayloadType <= 127 {
		return f.PayloadType
	}
	return firstDynamic
}

// choose picks for each role what we send, such that the far side takes all of it at once
// (simultaneous capability descriptors). Sound goes before pictures, and those before
// content; among what goes together the best of each.
func (s *Session) choose(wanted [roles]bool) [roles]*pick {
	var lists [roles][]pick
	for role := range lists {
		if wanted[role] {
			lists[role] = s.candidates(media.Role(role))
		}
	}
	if len(s.remote.descriptors) == 0 {
		return firsts(lists)
	}
	var best [roles]*pick
	bestScore := -1
	for _, descriptor := range s.remote.descriptors {
		if chosen, score := s.fill(lists, descriptor); score > bestScore {
			best, bestScore = chosen, score
		}
	}
	return best
}

// firsts is the choice where no descriptor says what goes together.
func firsts(lists [roles][]pick) (chosen [roles]*pick) {
	for role := range lists {
		if len(lists[role]) > 0 {
			chosen[role] = &lists[role][0]
		}
	}
	return chosen
}

// fill takes the best candidates that stand in different alternative sets of a descriptor.
func (s *Session) fill(lists [roles][]pick, descriptor [][]uint16) (best [roles]*pick, bestScore int) {
	var places [roles][][]int
	for role := range lists {
		for i := range lists[role] {
			places[role] = append(places[role], s.places(&lists[role][i], descriptor))
		}
	}
	bestScore = -1
	var chosen [roles]*pick
	var taken [roles]int
	var try func(role, score int)
	try = func(role, score int) {
		if role == roles {
			if score > bestScore {
				best, bestScore = chosen, score
			}
			return
		}
		// Presence of an earlier role outweighs all that follows.
		weight := 1
		for range roles - 1 - role {
			weight *= 2 * maxCandidates
		}
		for i := range lists[role] {
			for _, place := range places[role][i] {
				if slices.Contains(taken[:role], place) {
					continue
				}
				chosen[role], taken[role] = &lists[role][i], place
				try(role+1, score+weight*(maxCandidates-i))
			}
		}
		chosen[role], taken[role] = nil, -1
		try(role+1, score)
	}
	try(0, 0)
	return best, bestScore
}

// places lists the alternative sets that hold a candidate; as many as there are roles are
// enough. What is sent encrypted is looked up by the entry that protects it, too.
func (s *Session) places(p *pick, descriptor [][]uint16) (list []int) {
	for i, set := range descriptor {
		if slices.ContainsFunc(set, func(n uint16) bool {
			return n == p.entry.number || p.algorithm != "" && s.remote.protecting[n] == p.entry.number
		}) {
			if list = append(list, i); len(list) == roles {
				break
			}
		}
	}
	return list
}
