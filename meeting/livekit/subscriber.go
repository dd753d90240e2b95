package livekit

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v3"

	"github.com/roomgate/roomgate/media"
)

// subscriber is the connection the others' streams come in on. The SFU offers. It has no stage
// of pion's: lost packets are asked for again by their tracks, what came is reported by
// acknowledge, and neither REMB nor TWCC is sent, so that the SFU never throttles what it
// sends us.
type subscriber struct {
	*connection
	ssrc     uint32 // of our reports
	shortcut *shortcut
}

// receiving is a member that takes what others publish.
type receiving interface{ received() *reception }

func (r *Receiver) received() *reception { return r.reception }
func (s *Seat) received() *reception     { return s.reception }

func newSubscriber(s *session) (*subscriber, error) {
	member, ok := s.link.member.(receiving)
	if !ok {
		return nil, fmt.Errorf("offered media we do not take")
	}
	r := member.received()
	engine, err := receivingCodecs(r.video)
	if err != nil {
		return nil, err
	}
	sub := &subscriber{ssrc: rand.Uint32(), shortcut: newShortcut()}
	if sub.connection, err = newConnection(s, engine, &interceptor.Registry{}, sub.shortcut); err != nil {
		return nil, err
	}
	sub.pc.OnTrack(func(remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		sub.receive(r, remote, receiver)
	})
	r.listenTo(sub.pc)
	return sub, nil
}

// receivingCodecs are audio and the video that can be used here: the SFU then
// subscribes us to nothing else, and says so at once.
func receivingCodecs(video []media.Codec) (*webrtc.MediaEngine, error) {
	e := &webrtc.MediaEngine{}
	for _, codec := range append([]media.Codec{media.Opus, media.PCMU, media.PCMA}, video...) {
		parameters, kind := wireCodec(codec)
		if kind == 0 {
			return nil, fmt.Errorf("codec %s: %w", codec, ErrFormat)
		}
		if err := e.RegisterCodec(parameters, kind); err != nil {
			return nil, fmt.Errorf("codec %s: %w", codec, err)
		}
	}
	if err := e.RegisterHeaderExtension(levelExtension, webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverDirectionRecvonly); err != nil {
		return nil, fmt.Errorf("header extension: %w", err)
	}
	return e, nil
}

// answer takes an offer. Our candidates go in the answer: the server is the
// controlling side here, and without them it would wait a second.
func (c *subscriber) answer(offer *livekit.SessionDescription) error {
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer.GetSdp()}); err != nil {
		return fmt.Errorf("offer: %w", err)
	}
	c.remoteSet()
	answer, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(answer); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	select {
	case <-gathered:
	case <-time.After(gatheringBudget):
	case <-c.session.ctx.Done():
		return errBroken
	}
	return c.session.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Answer{
		Answer: &livekit.SessionDescription{Type: "answer", Sdp: c.pc.LocalDescription().SDP, Id: offer.GetId()},
	}})
}

// receive runs a track that opened until it ends.
func (c *subscriber) receive(r *reception, remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	s := c.session
	t := newRemoteTrack(r, c, remote, receiver)
	s.spawn(func() { t.listen(receiver) })
	s.spawn(func() {
		defer r.ended(t)
		if r.opened(s, t) {
			t.read(remote)
		}
	})
}
