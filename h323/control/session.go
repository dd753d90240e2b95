package control

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// Errors of Failed and of the constructor.
var (
	ErrConfig        = errors.New("control: incomplete configuration")
	ErrDetermination = errors.New("control: no agreement on who is master")
	ErrCapabilities  = errors.New("control: capabilities were not taken")
	ErrEncryption    = errors.New("control: media encryption is required and was not agreed")
)

const (
	roles           = int(media.Camera) + 1
	defaultTimeout  = 10 * time.Second
	defaultTerminal = 60 // gateway without MC, H.323 Table 1
	maxTries        = 3  // N100 of H.245 and its like
)

// Session is the control channel of one call.
type Session struct {
	cfg        Config
	can        media.Capabilities
	encryption policy
	now        time.Time
	queue      queue

	started, ended bool
	established    bool
	determination  determination
	exchange       exchange
	table          []entry    // what we announced
	remote         *remoteSet // what they announced; nil before
	paused         bool

	channels channels
	token    token
	fast     fastStart
	latency  latency
}

// New makes a session. Nothing is sent before Start.
func New(cfg Config) (*Session, error) {
	if cfg.Send == nil || cfg.Emit == nil || cfg.Local == nil {
		return nil, fmt.Errorf("%w: Send, Emit and Local are needed", ErrConfig)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.TerminalType == 0 {
		cfg.TerminalType = defaultTerminal
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	s := &Session{cfg: cfg}
	s.channels.init()
	if err := s.adopt(cfg.Capabilities); err != nil {
		return nil, err
	}
	return s, nil
}

// adopt takes what we can do.
func (s *Session) adopt(can media.Capabilities) error {
	ours, err := parsePolicy(s.cfg.Encryption)
	if err != nil {
		return err
	}
	asked, err := parsePolicy(can.Encryption)
	if err != nil {
		return err
	}
	s.can, s.encryption = can, max(ours, asked)
	s.table = announce(can)
	return nil
}

// Start opens the conversation: our capabilities and the determination of the master go
// out. Fast start channels stay as they are (H.323 clause 8.1.7).
func (s *Session) Start(now time.Time) {
	s.do(now, func() {
		if s.started {
			return
		}
		s.started = true
		s.sendSet()
		s.determine()
		s.identify()
		s.latency.last = s.now
	})
}

// Started reports whether Start was called.
func (s *Session) Started() bool { return s.started }

// Receive takes a message of the far side. A session that was not started starts.
func (s *Session) Receive(now time.Time, m *h245.MultimediaSystemControlMessage) {
	if m == nil {
		return
	}
	s.Start(now)
	s.do(now, func() {
		switch {
		case m.Request != nil:
			s.request(m.Request)
		case m.Response != nil:
			s.response(m.Response)
		case m.Command != nil:
			s.command(m.Command)
		case m.Indication != nil:
			s.indication(m.Indication)
		case m.Other != nil:
			s.notSupported(nil)
		}
		s.reconcile()
	})
}

// Tick lets time pass, and tells when it has to be called next; zero: not before the next
// message.
func (s *Session) Tick(now time.Time) time.Time {
	s.do(now, func() {
		s.determination.tick(s)
		s.exchange.tick(s)
		s.tickChannels()
		s.tickToken()
		s.tickLatency()
		s.reconcile()
	})
	return s.Next()
}

// Next is when Tick has to be called; zero: not before the next message.
func (s *Session) Next() time.Time {
	if s.ended {
		return time.Time{}
	}
	next := earliest(s.determination.deadline, s.exchange.deadline)
	next = earliest(next, s.channels.deadline())
	next = earliest(next, s.token.deadline)
	return earliest(next, s.latency.deadline(s.cfg.KeepAlive))
}

// Update changes what we can do: new capabilities are announced, and channels that no
// longer suit are closed or replaced. With can.Hold the empty set is sent, which stops
// the far side (H.323 clause 8.4.6).
func (s *Session) Update(now time.Time, can media.Capabilities) error {
	var err error
	s.do(now, func() {
		if err = s.adopt(can); err != nil {
			return
		}
		s.channels.forgive()
		if len(can.Content) == 0 {
			s.returnToken()
		}
		if s.started {
			s.sendSet()
		}
		s.expel()
		s.reconcile()
	})
	return err
}

// Close ends the session: endSession goes out, and nothing after it. A session without
// Start ends in silence.
func (s *Session) Close(now time.Time) {
	s.do(now, func() {
		if s.started {
			s.sendCommand(&h245.CommandMessage{EndSessionCommand: &h245.EndSessionCommand{Disconnect: true}})
		}
		s.ended = true
	})
}

// Master reports whether we are master; known is false before it is determined.
func (s *Session) Master() (master, known bool) {
	return s.determination.status == isMaster, s.determination.status != undetermined
}

// Media is what stands, at most one Medium for each role.
func (s *Session) Media() []Medium {
	var list []Medium
	for role := range media.Camera + 1 {
		if m := s.Medium(role); m != nil {
			list = append(list, *m)
		}
	}
	return list
}

// Held reports that the far side takes nothing of ours.
func (s *Session) Held() bool { return s.paused }

// do runs one step and then tells of it.
func (s *Session) do(now time.Time, step func()) {
	if s.ended {
		return
	}
	if now.After(s.now) {
		s.now = now
	}
	step()
	s.flush()
}

// fail ends the session with an error.
func (s *Session) fail(err error) {
	if s.ended {
		return
	}
	s.ended = true
	s.emit(Failed{err})
}

// establish notes that capabilities and master are known.
func (s *Session) establish() {
	if s.established || s.determination.status == undetermined || s.remote == nil || !s.exchange.acknowledged {
		return
	}
	s.established = true
	s.emit(Established{Master: s.determination.status == isMaster})
}

func (s *Session) wait() time.Time { return s.now.Add(s.cfg.Timeout) }

// due reports that a deadline has passed.
func (s *Session) due(deadline time.Time) bool { return !deadline.IsZero() && !s.now.Before(deadline) }

// random gives 24 random bits.
func (s *Session) random() uint32 {
	var b [3]byte
	if _, err := io.ReadFull(s.cfg.Rand, b[:]); err != nil {
		s.fail(fmt.Errorf("control: random numbers: %w", err))
	}
	return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// policy is how far media is encrypted; a stricter one is greater.
type policy uint8

const (
	off policy = iota
	prefer
	require
)

func parsePolicy(word string) (policy, error) {
	for i, w := range []string{"off", "prefer", "require"} {
		if word == w {
			return policy(i), nil
		}
	}
	if word == "" {
		return off, nil
	}
	return off, fmt.Errorf("%w: encryption %q: want off, prefer or require", ErrConfig, word)
}
