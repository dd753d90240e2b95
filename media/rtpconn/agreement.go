package rtpconn

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

// agreement is Params as the hot path reads them; it never changes.
type agreement struct {
	Params
	formats []media.Format
	kinds   [128]kind
}

// kind is what a payload type is: nothing, an event, or a format.
type kind struct {
	event  bool
	format uint8 // index into formats, plus one
}

func agree(p Params) *agreement {
	a := &agreement{Params: p}
	a.Receive, a.ReceiveEvents = maps.Clone(p.Receive), maps.Clone(p.ReceiveEvents)
	for pt, f := range p.Receive {
		f.PayloadType = pt
		a.formats = append(a.formats, f)
		a.kinds[pt].format = uint8(len(a.formats))
	}
	for pt := range p.ReceiveEvents {
		a.kinds[pt] = kind{event: true}
	}
	return a
}

// keyring is what opens the far side's packets.
type keyring struct {
	needed bool // packets that are not protected are refused
	now    *secure.Inbound
	// former opens packets that were on their way when the key changed.
	former *secure.Inbound
	until  time.Time
	// payloads is H.235.6; nil without it.
	payloads *payloads
}

// formerKey is how long the key before a change still opens packets.
const formerKey = 2 * time.Second

// Apply puts negotiated parameters into force. On an error the old ones stay.
// Keys that are the same as before keep their roll-over counters, and a DTLS
// association lives on while its role and the fingerprints are the same.
func (s *Session) Apply(p Params) error {
	if err := p.validate(); err != nil {
		return err
	}
	s.applying.Lock()
	defer s.applying.Unlock()
	select {
	case <-s.closing:
		return ErrClosed
	default:
	}
	next, before, now := agree(p), s.agreed.Load(), s.clock.Now()
	keep := before != nil && sameAssociation(before.Security.DTLS, p.Security.DTLS)
	if !keep {
		s.dissociate()
	}
	s.route.apply(p, now)
	if before != nil && before.Remote != p.Remote {
		s.forgetPaths()
	}
	if err := s.rekey(next, keep); err != nil {
		return fmt.Errorf("rtp session: %w", err)
	}
	s.agreed.Store(next)
	if shared, ok := s.ports.(*share); ok {
		shared.settle()
	}
	s.report.schedule(next, now)
	s.expectMedia(next, now)
	s.bound(func(b *bitrates) { b.negotiated, b.commanded = p.MaxSend, p.FlowControl })
	if p.Security.DTLS != nil && !keep {
		if err := s.associate(p.Security.DTLS); err != nil {
			return err
		}
	}
	s.log.Debug("media parameters", zap.Stringer("direction", p.Direction), zap.Stringer("send", p.Send),
		zap.String("encryption", p.Security.Encryption()), zap.Bool("mux", p.Mux), zap.Bool("held", p.Held))
	s.rouse()
	return nil
}

// rekey puts keys and send parameters into force in one step, so that a
// handshake that is done meanwhile is not undone.
func (s *Session) rekey(next *agreement, keep bool) error {
	s.keying.Lock()
	defer s.keying.Unlock()
	ring, crypto, err := s.protect(next, keep)
	if err != nil {
		return err
	}
	payload, err := sealing(next.Security.H235, s.out.payloadCipher())
	if err != nil {
		return err
	}
	s.keys.Store(ring)
	s.out.apply(next.Params, crypto, payload)
	return nil
}

// protect makes the contexts of the keys that are new and keeps the others.
func (s *Session) protect(next *agreement, keep bool) (ring *keyring, crypto *secure.Outbound, err error) {
	ring = &keyring{needed: next.Security.Send != nil || next.Security.DTLS != nil}
	old := s.keys.Load()
	crypto = s.out.protection()
	switch {
	case keep:
		return old, crypto, nil
	case next.Security.H235 != nil:
		var before *payloads
		if old != nil {
			before = old.payloads
		}
		ring.payloads, err = newPayloads(next.Security.H235, before)
		return ring, nil, err
	case next.Security.Send == nil: // nothing, or until the handshake is done
		return ring, nil, nil
	}
	if crypto == nil || !crypto.Key().Equal(*next.Security.Send) {
		if crypto, err = secure.NewOutbound(cloneKey(*next.Security.Send)); err != nil {
			return nil, nil, err
		}
	}
	if old != nil && old.now != nil && old.now.Key().Equal(*next.Security.Receive) {
		return old, crypto, nil
	}
	if ring.now, err = secure.NewInbound(cloneKey(*next.Security.Receive)); err != nil {
		return nil, nil, err
	}
	if old != nil && old.now != nil {
		ring.former, ring.until = old.now, s.clock.Now().Add(formerKey)
	}
	return ring, crypto, nil
}

func cloneKey(k secure.Key) secure.Key {
	k.Master, k.MKI = bytes.Clone(k.Master), bytes.Clone(k.MKI)
	return k
}

func sameAssociation(a, b *DTLS) bool {
	return a != nil && b != nil && a.Client == b.Client && slices.Equal(a.Fingerprints, b.Fingerprints)
}

// dissociate ends the DTLS association, if there is one.
func (s *Session) dissociate() {
	s.handshake.Store(nil)
	if s.association != nil {
		s.association.Close()
		s.association = nil
	}
}

// associate starts a DTLS association.
func (s *Session) associate(d *DTLS) error {
	a, err := secure.NewAssociation(secure.AssociationConfig{
		Client: d.Client, Fingerprints: slices.Clone(d.Fingerprints),
		Send: s.sendDTLS, Done: s.keyed,
	})
	if err != nil {
		return fmt.Errorf("rtp session: %w", err)
	}
	s.association = a
	s.handshake.Store(a)
	return nil
}

// keyed takes the outcome of a handshake.
func (s *Session) keyed(send, receive secure.Key, err error) {
	if err == nil {
		err = s.install(send, receive)
	}
	if err != nil {
		s.log.Warn("media is not secured", zap.Error(err))
		s.emit(Event{Kind: SecurityFailed, Err: err})
		return
	}
	s.log.Debug("media is secured", zap.Stringer("suite", send))
	s.emit(Event{Kind: Secured})
}

func (s *Session) install(send, receive secure.Key) error {
	out, err := secure.NewOutbound(send)
	if err != nil {
		return err
	}
	in, err := secure.NewInbound(receive)
	if err != nil {
		return err
	}
	s.keying.Lock()
	defer s.keying.Unlock()
	s.keys.Store(&keyring{needed: true, now: in})
	s.out.secure(out)
	return nil
}

// sendDTLS sends a record of the handshake to where its far side is.
func (s *Session) sendDTLS(record []byte) {
	to := s.route.handshakePeer()
	if to.IsValid() {
		// A record that cannot be sent is lost, and sent again.
		rtp, _ := s.ports.conns()
		_ = s.transmit(rtp, record, to)
	}
}
