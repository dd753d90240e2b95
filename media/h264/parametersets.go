package h264

import "bytes"

// Bounds of what is kept of a stranger's parameter sets.
const maxSetLength = 1024

// parameterSets remembers the newest parameter sets of one stream, at most one
// for each of the 32 and 256 identifiers.
type parameterSets struct {
	sps []spsEntry
	pps []ppsEntry
	out [][]byte // reused
}

type spsEntry struct {
	SPS
	nal   []byte
	fresh bool // not sent on yet
}

type ppsEntry struct {
	PPS
	nal   []byte
	fresh bool
}

// put keeps a parameter set; one that is malformed replaces nothing.
func (s *parameterSets) put(nal []byte) error {
	if len(nal) > maxSetLength {
		return ErrTooBig
	}
	if TypeOf(nal) == SPSUnit {
		return s.putSPS(nal)
	}
	return s.putPPS(nal)
}

func (s *parameterSets) putSPS(nal []byte) error {
	for i := range s.sps {
		if bytes.Equal(s.sps[i].nal, nal) {
			return nil
		}
	}
	parsed, err := ParseSPS(nal)
	if err != nil {
		return err
	}
	e := s.spsByID(parsed.ID)
	if e == nil {
		s.sps = append(s.sps, spsEntry{})
		e = &s.sps[len(s.sps)-1]
	}
	*e = spsEntry{parsed, append(e.nal[:0], nal...), true}
	return nil
}

func (s *parameterSets) putPPS(nal []byte) error {
	for i := range s.pps {
		if bytes.Equal(s.pps[i].nal, nal) {
			return nil
		}
	}
	parsed, err := ParsePPS(nal)
	if err != nil {
		return err
	}
	e := s.ppsByID(parsed.ID)
	if e == nil {
		s.pps = append(s.pps, ppsEntry{})
		e = &s.pps[len(s.pps)-1]
	}
	*e = ppsEntry{parsed, append(e.nal[:0], nal...), true}
	return nil
}

// load keeps the sets of media.H264Format.ParameterSets; bad ones are left out,
// since they come in band anyway.
func (s *parameterSets) load(annexB string) {
	for _, nal := range SplitAnnexB([]byte(annexB)) {
		if t := TypeOf(nal); t == SPSUnit || t == PPSUnit {
			_ = s.put(nal)
		}
	}
}

func (s *parameterSets) spsByID(id uint8) *spsEntry {
	for i := range s.sps {
		if s.sps[i].ID == id {
			return &s.sps[i]
		}
	}
	return nil
}

func (s *parameterSets) ppsByID(id uint8) *ppsEntry {
	for i := range s.pps {
		if s.pps[i].ID == id {
			return &s.pps[i]
		}
	}
	return nil
}

// of finds the sets a slice refers to; nil when they are not known.
func (s *parameterSets) of(slice []byte) (sps *SPS, pps *PPS, firstMB uint32) {
	id, firstMB, err := PPSOf(slice)
	if err != nil {
		return nil, nil, 0
	}
	p := s.ppsByID(id)
	if p == nil {
		return nil, nil, 0
	}
	e := s.spsByID(p.SPS)
	if e == nil {
		return nil, nil, 0
	}
	return &e.SPS, &p.PPS, firstMB
}

// units lists what goes before an IDR picture of sps: it, and every PPS that
// refers to it. Valid until the next call.
func (s *parameterSets) units(id uint8) [][]byte {
	s.out = s.out[:0]
	if e := s.spsByID(id); e != nil {
		s.out = append(s.out, e.nal)
		e.fresh = false
	}
	for i := range s.pps {
		if p := &s.pps[i]; p.SPS == id {
			s.out = append(s.out, p.nal)
			p.fresh = false
		}
	}
	return s.out
}

// changed lists PPSs that came since: a sender may replace one between two
// pictures, whereas an SPS changes at an IDR only (§7.4.1.2.1).
func (s *parameterSets) changed() [][]byte {
	s.out = s.out[:0]
	for i := range s.pps {
		if p := &s.pps[i]; p.fresh {
			s.out = append(s.out, p.nal)
			p.fresh = false
		}
	}
	return s.out
}
