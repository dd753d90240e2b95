package livekit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"

	"github.com/roomgate/roomgate/media"
)

// negotiationTimeout bounds the wait for an answer of the SFU.
const negotiationTimeout = 5 * time.Second

// publisher is the connection our streams go out on. We offer.
type publisher struct {
	*connection
	wires *wires
	turn  chan struct{} // held by the negotiation in progress

	mu      sync.Mutex
	id      uint32
	answers chan *livekit.SessionDescription
	waiting map[string]chan publication // by cid
}

// publication is the SFU's word on an AddTrack.
type publication struct {
	track *livekit.TrackInfo
	err   error
}

func newPublisher(s *session) (*publisher, error) {
	engine, err := sendingCodecs()
	if err != nil {
		return nil, err
	}
	p := &publisher{
		wires: newWires(), turn: make(chan struct{}, 1),
		answers: make(chan *livekit.SessionDescription, 1), waiting: make(map[string]chan publication),
	}
	stages := &interceptor.Registry{}
	stages.Add(p.wires)
	if p.connection, err = newConnection(s, engine, stages, nil); err != nil {
		return nil, err
	}
	return p, nil
}

// sendingCodecs are those a seat can publish.
func sendingCodecs() (*webrtc.MediaEngine, error) {
	e := &webrtc.MediaEngine{}
	for _, codec := range []media.Codec{media.Opus, media.PCMU, media.PCMA, media.H264, media.VP8} {
		parameters, kind := wireCodec(codec)
		if err := e.RegisterCodec(parameters, kind); err != nil {
			return nil, fmt.Errorf("codec %s: %w", codec, err)
		}
	}
	if err := e.RegisterHeaderExtension(levelExtension, webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverDirectionSendonly); err != nil {
		return nil, fmt.Errorf("header extension: %w", err)
	}
	for _, name := range []webrtc.RTPHeaderExtensionCapability{midExtension, ridExtension} {
		if err := e.RegisterHeaderExtension(name, webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverDirectionSendonly); err != nil {
			return nil, fmt.Errorf("header extension: %w", err)
		}
	}
	return e, nil
}

// addTrack publishes the sizes of a stream, the smallest first, and returns what the SFU
// calls it.
func (p *publisher) addTrack(ctx context.Context, sizes []*sender, request *livekit.AddTrackRequest) (*webrtc.RTPTransceiver, *livekit.TrackInfo, error) {
	release, err := p.take(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	transceiver, err := p.transceiver(sizes)
	if err != nil {
		return nil, nil, fmt.Errorf("publish: %w", err)
	}
	word := make(chan publication, 1)
	p.mu.Lock()
	p.waiting[request.GetCid()] = word
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.waiting, request.GetCid())
		p.mu.Unlock()
	}()
	if err := p.session.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: request}}); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errBroken, err)
	}
	if err := p.negotiate(ctx); err != nil {
		return nil, nil, err
	}
	select {
	case got := <-word:
		if got.err != nil {
			_ = p.dropTrack(ctx, transceiver)
			return nil, nil, got.err
		}
		return transceiver, got.track, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	case <-p.session.ctx.Done():
		return nil, nil, errBroken
	}
}

// transceiver makes a part of the SDP for the sizes of a stream.
func (p *publisher) transceiver(sizes []*sender) (*webrtc.RTPTransceiver, error) {
	t, err := p.pc.AddTransceiverFromTrack(sizes[0], webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return nil, err
	}
	for i, s := range sizes {
		s.mid = t.Mid
		if i == 0 {
			continue
		}
		if err := t.Sender().AddEncoding(s); err != nil {
			return nil, err
		}
	}
	return t, t.SetCodecPreferences(preferring(sizes[0].codec, sizes[0].Kind()))
}

// preferring puts a codec first, which is the one the server takes the stream
// to be, and the others of its kind after it: pion offers later streams only
// what the first answer agreed to.
func preferring(first webrtc.RTPCodecParameters, kind webrtc.RTPCodecType) []webrtc.RTPCodecParameters {
	all := []webrtc.RTPCodecParameters{first}
	for _, codec := range []media.Codec{media.Opus, media.PCMU, media.PCMA} {
		if c, k := wireCodec(codec); k == kind && c.MimeType != first.MimeType {
			all = append(all, c)
		}
	}
	return all
}

// removeTrack ends a stream: the SFU learns it from the offer.
func (p *publisher) removeTrack(ctx context.Context, t *webrtc.RTPTransceiver) error {
	release, err := p.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	return p.dropTrack(ctx, t)
}

func (p *publisher) dropTrack(ctx context.Context, t *webrtc.RTPTransceiver) error {
	if err := p.pc.RemoveTrack(t.Sender()); err != nil {
		return fmt.Errorf("unpublish: %w", err)
	}
	return p.negotiate(ctx)
}

// take waits for its turn to negotiate.
func (p *publisher) take(ctx context.Context) (release func(), err error) {
	select {
	case p.turn <- struct{}{}:
		return func() { <-p.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.session.ctx.Done():
		return nil, errBroken
	}
}

// negotiate offers what we send and applies the answer.
func (p *publisher) negotiate(ctx context.Context) error {
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		return fmt.Errorf("offer: %w", err)
	}
	if err := p.pc.SetLocalDescription(offer); err != nil {
		return fmt.Errorf("offer: %w", err)
	}
	p.mu.Lock()
	p.id++
	id := p.id
	p.mu.Unlock()
	if err := p.session.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Offer{
		Offer: &livekit.SessionDescription{Type: "offer", Sdp: withoutCandidates(offer.SDP), Id: id},
	}}); err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	timeout := time.NewTimer(negotiationTimeout)
	defer timeout.Stop()
	for {
		select {
		case answer := <-p.answers:
			if answer.GetId() != 0 && answer.GetId() != id {
				continue // of an offer we gave up on
			}
			if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer.GetSdp()}); err != nil {
				return fmt.Errorf("answer: %w", err)
			}
			p.remoteSet()
			return nil
		case <-timeout.C:
			err := fmt.Errorf("%w: offer not answered", errBroken)
			p.session.fail(err)
			return err
		case <-p.session.ctx.Done():
			return errBroken
		}
	}
}

// withoutCandidates hides where we are: a server that knew it would check us
// before we know its own candidates, and the pair that makes would have to wait
// a second (ICE's acceptance wait for peer-reflexive candidates).
func withoutCandidates(sdp string) string {
	lines := strings.SplitAfter(sdp, "\n")
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, "a=candidate:") || strings.HasPrefix(line, "a=end-of-candidates")
	}), "")
}

func (p *publisher) answered(answer *livekit.SessionDescription) {
	select {
	case p.answers <- answer:
	default: // one was not waited for: the SFU repeats itself
	}
}

func (p *publisher) published(m *livekit.TrackPublishedResponse) {
	p.tell(m.GetCid(), publication{track: m.GetTrack()})
}

// refused handles the answer to an AddTrack that was not accepted.
func (p *publisher) refused(m *livekit.RequestResponse) {
	request := m.GetAddTrack()
	if request == nil || m.GetReason() == livekit.RequestResponse_OK || m.GetReason() == livekit.RequestResponse_QUEUED {
		return
	}
	err := fmt.Errorf("%w: %s", ErrNotPermitted, strings.ToLower(m.GetReason().String()))
	p.tell(request.GetCid(), publication{err: err})
}

func (p *publisher) tell(cid string, word publication) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if waiting := p.waiting[cid]; waiting != nil {
		select {
		case waiting <- word:
		default:
		}
	}
}

// listen reads the RTCP of one size until it stops. narrow hears of a bound of the way.
func (p *publisher) listen(s *sender, keyframe func(), narrow func(bps int)) {
	select {
	case <-s.bound:
	case <-p.session.ctx.Done():
		return
	}
	buf := make([]byte, receiveMTU)
	for {
		n, _, err := s.rtcp.Read(buf, nil)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, packet := range packets {
			switch m := packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				keyframe()
			case *rtcp.TransportLayerNack:
				s.resend(m)
			case *rtcp.ReceiverReport:
				for _, r := range m.Reports {
					if bound, changed := s.reportReceived(r, time.Now()); changed {
						narrow(bound)
					}
				}
			}
		}
	}
}

// report sends RTCP; on a connection that is coming or going it is lost.
func (p *publisher) report(packets []rtcp.Packet) {
	if len(packets) > 0 {
		_ = p.pc.WriteRTCP(packets)
	}
}
