package rtpconn

import (
	"sync"
	"time"

	"github.com/pion/rtcp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/feedback"
)

// keyframes are the requests for key frames on their way to the far side.
type keyframes struct {
	sync.Mutex
	feedback.Throttle
	wanted int
	fir    uint8 // number of the last FIR, RFC 5104 §4.3.1
}

// askPicture asks for a key frame by what was agreed on.
func (s *Session) askPicture(agreed *agreement) {
	ssrc, _ := s.in.remote()
	var message rtcp.Packet
	switch {
	case agreed.Feedback.PLI:
		message = &rtcp.PictureLossIndication{SenderSSRC: s.SSRC(), MediaSSRC: ssrc}
	case agreed.Feedback.FIR:
		// The source stands in the entry; the one in the header is 0 (RFC
		// 5104 §4.3.1.2).
		message = &rtcp.FullIntraRequest{SenderSSRC: s.SSRC(), FIR: []rtcp.FIREntry{
			{SSRC: ssrc, SequenceNumber: s.nextFIR()},
		}}
	default:
		if s.cfg.KeyframeFallback != nil {
			s.cfg.KeyframeFallback()
		}
		return
	}
	if b, err := message.Marshal(); err == nil {
		s.sendFeedback(b)
	}
}

func (s *Session) nextFIR() uint8 {
	s.keyframe.Lock()
	defer s.keyframe.Unlock()
	s.keyframe.fir++
	return s.keyframe.fir
}

// RequestKeyframe asks the far side for a picture: by PLI where agreed, else by
// FIR, else by Config.KeyframeFallback. Requests are merged: three at once at
// the start, then one per 500 ms. For audio it does nothing.
func (s *Session) RequestKeyframe() {
	if s.cfg.Role == media.Audio {
		return
	}
	s.keyframe.Lock()
	s.keyframe.wanted = min(s.keyframe.wanted+1, maxWanted)
	s.keyframe.Unlock()
	s.rouse()
}

// maxWanted is how many requests wait for the upkeep; the throttle has the last
// word.
const maxWanted = 3

// askPictures sends the key frame requests that may go out now.
func (s *Session) askPictures(agreed *agreement, now time.Time) {
	if _, known := s.in.remote(); !known || !agreed.Direction.Receives() {
		return // they wait for the source
	}
	s.keyframe.Lock()
	n := 0
	if s.keyframe.Due(now) {
		n++
	}
	for ; s.keyframe.wanted > 0; s.keyframe.wanted-- {
		if s.keyframe.Ask(now) {
			n++
		}
	}
	s.keyframe.Unlock()
	for range n {
		s.askPicture(agreed)
	}
}
