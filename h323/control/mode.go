package control

import (
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// wish is a format that the far side asked us to send.
type wish struct{ format media.Format }

// grants reports whether a candidate is what was asked for.
func (w *wish) grants(f media.Format) bool {
	return w.format.Codec == f.Codec && w.format.ClockRate == f.ClockRate && (w.format.Bitrate == 0 || w.format.Bitrate == f.Bitrate)
}

// rank puts what was asked for first.
func (w *wish) rank(f media.Format) int {
	if w.grants(f) {
		return 0
	}
	return 1
}

// requestMode takes requestMode (H.245 clause C.9): descriptions of what we should send, in
// the order of their liking. The first of which we can send all is taken.
func (s *Session) requestMode(m *h245.RequestMode) {
	for i, description := range m.RequestedModes {
		wishes, ok := s.wishes(description)
		if !ok {
			continue
		}
		answer := h245.RequestModeAckResponse{WillTransmitMostPreferredMode: i == 0, WillTransmitLessPreferredMode: i > 0}
		s.sendResponse(&h245.ResponseMessage{RequestModeAck: &h245.RequestModeAck{SequenceNumber: m.SequenceNumber, Response: answer}})
		for role, w := range wishes {
			if w != nil {
				s.channels.wanted[role] = w
				s.channels.silenced[role] = false
			}
		}
		return
	}
	s.sendResponse(&h245.ResponseMessage{RequestModeReject: &h245.RequestModeReject{
		SequenceNumber: m.SequenceNumber, Cause: h245.RequestModeRejectCause{ModeUnavailable: true},
	}})
}

// wishes reads a mode description. It is refused when it asks for a format that we cannot
// send; roles that it does not mention stay as they are.
func (s *Session) wishes(elements []h245.ModeElement) (list [roles]*wish, ok bool) {
	for i := range elements {
		role, f, known := readMode(&elements[i].Type)
		if !known {
			return list, false
		}
		w := &wish{f}
		if !s.grantable(role, w) {
			return list, false
		}
		list[role] = w
	}
	return list, len(elements) > 0
}

func (s *Session) grantable(role media.Role, w *wish) bool {
	if s.remote == nil {
		return false
	}
	for _, c := range s.candidates(role) {
		if w.grants(c.format) {
			return true
		}
	}
	return false
}

// readMode reads the format of a mode element.
func readMode(t *h245.ModeElementType) (media.Role, media.Format, bool) {
	audio, video := t.AudioMode, t.VideoMode
	if h := t.H235Mode; h != nil {
		audio, video = h.MediaMode.AudioMode, h.MediaMode.VideoMode
	}
	switch {
	case audio != nil:
		f, ok := audioMode(audio)
		return media.Audio, f, ok
	case video != nil:
		f, ok := videoMode(video)
		return media.Main, f, ok
	}
	return 0, media.Format{}, false
}

func audioMode(m *h245.AudioMode) (media.Format, bool) {
	switch {
	case m.G711Alaw64k:
		return media.Format{Codec: media.PCMA, ClockRate: 8000}, true
	case m.G711Ulaw64k:
		return media.Format{Codec: media.PCMU, ClockRate: 8000}, true
	case m.G72264k:
		return media.Format{Codec: media.G722, ClockRate: 8000}, true
	case m.GenericAudioMode != nil:
		return audioFormat(&h245.AudioCapability{GenericAudioCapability: m.GenericAudioMode})
	}
	return media.Format{}, false
}

func videoMode(m *h245.VideoMode) (media.Format, bool) {
	const clock = 90000
	switch {
	case m.H261VideoMode != nil:
		return media.Format{Codec: media.H261, ClockRate: clock}, true
	case m.H263VideoMode != nil:
		return media.Format{Codec: media.H263, ClockRate: clock}, true
	case m.GenericVideoMode != nil:
		list, _ := h264Formats(m.GenericVideoMode)
		if len(list) == 0 {
			return media.Format{}, false
		}
		return media.Format{Codec: media.H264, ClockRate: clock, H264: list[0]}, true
	}
	return media.Format{}, false
}
