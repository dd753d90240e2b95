package h323

import (
	"bytes"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/control"
	"github.com/roomgate/roomgate/h323/h235"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media/rtpconn"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

// secrecy is the key agreement of a leg (H.235.6): both sides send half keys
// with SETUP and its answer, and know a secret then, under which the master of H.245 sends
// the keys of media. The leg's goroutine owns it. It implements control.Security.
type secrecy struct {
	agreement *h235.Agreement   // the caller's, until it is answered
	answer    []h235.ClearToken // what our answers take along
	secret    *h235.Secret      // nil before, and where the far side has no part in it
}

var _ control.Security = (*secrecy)(nil)

// offered are the groups in our SETUP; the first that the far side knows is taken. All
// that knows H.235.6 knows the second, and the first allows AES-256.
var offered = []*h235.Group{h235.DH2048, h235.DH1024}

// offer begins the agreement of a call out.
func (s *secrecy) offer() []h235.ClearToken {
	*s = secrecy{agreement: h235.NewAgreement(offered...)}
	return s.agreement.Tokens()
}

// open tells that half keys were offered, and not answered yet.
func (s *secrecy) open() bool { return s.agreement != nil && s.secret == nil }

// answered ends the agreement of a call out. A far side without tokens has no part in it;
// a bad one is as good as none.
func (s *secrecy) answered(tokens []h235.ClearToken) error {
	if s.agreement == nil || s.secret != nil || !h235.Offers(tokens) {
		return nil
	}
	var err error
	s.secret, err = s.agreement.Finish(tokens)
	return err
}

// take is the part of the called side.
func (s *secrecy) take(tokens []h235.ClearToken) error {
	if s.secret != nil || !h235.Offers(tokens) {
		return nil
	}
	var err error
	s.answer, s.secret, err = h235.Answer(tokens, h235.Groups()...)
	return err
}

// Algorithms implements control.Security.
func (s *secrecy) Algorithms() []per.OID {
	if s.secret == nil {
		return nil
	}
	return s.secret.Algorithms()
}

// NewKey implements control.Security.
func (s *secrecy) NewKey(algorithm per.OID, synch uint8) (*control.Key, *h245.EncryptionSync, error) {
	if s.secret == nil {
		return nil, nil, h235.ErrNoGroup
	}
	key, err := h235.NewMediaKey(algorithm)
	if err != nil {
		return nil, nil, err
	}
	wrapped, err := s.secret.Wrap(key)
	if err != nil {
		return nil, nil, err
	}
	return &control.Key{Algorithm: algorithm, Synch: synch, Key: key.Key},
		&h245.EncryptionSync{SynchFlag: synch, H235Key: wrapped}, nil
}

// ReadKey implements control.Security.
func (s *secrecy) ReadKey(algorithm per.OID, sync *h245.EncryptionSync) (*control.Key, error) {
	if s.secret == nil {
		return nil, h235.ErrNoGroup
	}
	key, err := s.secret.Unwrap(sync.H235Key, algorithm)
	if err != nil {
		return nil, err
	}
	return &control.Key{Algorithm: algorithm, Synch: sync.SynchFlag, Key: key.Key}, nil
}

// encryption is the policy in force for a leg: the strictest of the stack's or the
// target's, and the meeting's.
func (l *leg) encryption() Encryption {
	policy := l.e.cfg.Encryption
	if l.out != nil && l.out.target.Encryption != "" {
		policy = Encryption(l.out.target.Encryption)
	}
	if asked := Encryption(l.can.Encryption); strictness[asked] > strictness[policy] {
		policy = asked
	}
	return policy
}

var strictness = map[Encryption]int{EncryptOff: 0, EncryptPrefer: 1, EncryptRequire: 2}

// agree takes the part of the called side in the key agreement, once it is known what the
// meeting wants. It reports whether the call may go on.
func (l *leg) agree() bool {
	policy := l.encryption()
	if policy == EncryptOff {
		return true
	}
	if err := l.secrecy.take(l.in.setup.Tokens); err != nil {
		l.log.Info("no key agreement", zap.Error(err))
	}
	return policy != EncryptRequire || l.secrecy.secret != nil
}

// agreed takes the answer to our half keys, before anything that depends on it.
func (l *leg) agreed(m *callsig.Message) {
	if l.out == nil {
		return
	}
	if err := l.secrecy.answered(m.Tokens); err != nil {
		l.log.Info("no key agreement", zap.Error(err))
	}
}

// errPlain is the cause of calls that may not be without encryption.
func errPlain() call.Cause {
	return call.Cause{Code: call.EncryptionRequired, Text: control.ErrEncryption.Error()}
}

// keys are those of a medium that are in force.
type keys struct {
	current *control.Key // of what we receive
	h235    *rtpconn.H235
}

// protect turns the keys of a medium into those of its session. The key that was in force
// before stays for packets that are on their way.
func (k *keys) protect(m *control.Medium) *rtpconn.H235 {
	before := k.current
	k.current = m.RecvKey
	if m.SendKey == nil && m.RecvKey == nil {
		k.h235 = nil
		return nil
	}
	h := &rtpconn.H235{}
	if m.SendKey != nil {
		h.Send = m.SendKey.Key
	}
	switch {
	case m.RecvKey == nil:
	case before != nil && before.Synch == m.RecvKey.Synch && bytes.Equal(before.Key, m.RecvKey.Key):
		h.Receive = k.h235.Receive
	default:
		h.Receive = map[uint8]secure.PayloadKey{m.RecvKey.Synch: m.RecvKey.Key}
		if before != nil && before.Synch != m.RecvKey.Synch {
			h.Receive[before.Synch] = before.Key
		}
	}
	k.h235 = h
	return h
}
