package livekit

import (
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v3"
)

// wires is the only stage of the publishing connection. It hands each sender
// the raw SRTP writer of its stream, so that a packet goes from us to the
// cipher without pion's chain of stages and its allocation per packet.
type wires struct {
	interceptor.NoOp
	mu      sync.Mutex
	senders map[webrtc.SSRC]*sender
}

func newWires() *wires { return &wires{senders: make(map[webrtc.SSRC]*sender)} }

// NewInterceptor lets wires be its own factory: one per connection.
func (w *wires) NewInterceptor(string) (interceptor.Interceptor, error) { return w, nil }

// expect announces the stream of a sender that has just been bound.
func (w *wires) expect(ssrc webrtc.SSRC, s *sender) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.senders[ssrc] = s
}

// BindLocalStream is where pion tells a stream's writer, payload type and
// negotiated header extensions.
func (w *wires) BindLocalStream(info *interceptor.StreamInfo, writer interceptor.RTPWriter) interceptor.RTPWriter {
	w.mu.Lock()
	s := w.senders[webrtc.SSRC(info.SSRC)]
	w.mu.Unlock()
	if s != nil {
		ids := map[string]uint8{}
		for _, e := range info.RTPHeaderExtensions {
			ids[e.URI] = uint8(e.ID)
		}
		s.open(writer, info.SSRC, info.PayloadType, ids[levelExtension.URI])
		s.name(ids[midExtension.URI], ids[ridExtension.URI])
	}
	return writer
}

// UnbindLocalStream forgets the stream.
func (w *wires) UnbindLocalStream(info *interceptor.StreamInfo) {
	w.mu.Lock()
	s := w.senders[webrtc.SSRC(info.SSRC)]
	delete(w.senders, webrtc.SSRC(info.SSRC))
	w.mu.Unlock()
	if s != nil {
		s.shut()
	}
}
