package h224

import "time"

// conversation is a Channel's state, without goroutine or clock.
type conversation struct {
	cfg  Config
	send func(*Frame)
	far  *Abilities

	motion Motion    // of the far camera, as we want it
	until  time.Time // it goes on by itself
	next   time.Time // the next Continue

	moving  Motion    // of our camera
	expires time.Time // without a Continue

	greeting time.Time // said again: the first packets may get lost
	greeted  int
}

const (
	// Hold is how long a motion goes on after the last word of who wants it.
	Hold = 1500 * time.Millisecond

	moveTimeout = 800 * time.Millisecond // in Start
	moveRepeat  = 300 * time.Millisecond // two Continues may get lost

	greetings  = 5
	greetEvery = time.Second
)

func newConversation(cfg Config, send func(*Frame)) *conversation {
	if cfg.OnMessage == nil {
		cfg.OnMessage = func(Message) {}
	}
	return &conversation{cfg: cfg, send: send}
}

func (s *conversation) due() time.Time {
	var at time.Time
	for _, t := range []time.Time{s.next, s.expires, s.greeting} {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	return at
}

func (s *conversation) tick(now time.Time) {
	if !s.greeting.IsZero() && !now.Before(s.greeting) {
		s.introduce(now)
	}
	if !s.expires.IsZero() && !now.Before(s.expires) { // H.281 clause 5: no Continue came
		s.stopOurs()
	}
	if s.next.IsZero() || now.Before(s.next) {
		return
	}
	if !now.Before(s.until) {
		s.move(now, Motion{})
		return
	}
	s.say(Message{Kind: Continue, Motion: s.motion})
	s.next = now.Add(moveRepeat)
}

// move makes the far camera move as wanted.
func (s *conversation) move(now time.Time, m Motion) {
	if m.Moving() {
		s.until = now.Add(Hold)
	}
	if m == s.motion {
		return
	}
	if s.motion.Moving() {
		s.say(Message{Kind: Stop, Motion: s.motion})
	}
	s.motion, s.next = m, time.Time{}
	if m.Moving() {
		s.say(Message{Kind: Start, Motion: m, Timeout: moveTimeout})
		s.next = now.Add(moveRepeat)
	}
}

// halt stops what moves.
func (s *conversation) halt() {
	if s.motion.Moving() {
		s.say(Message{Kind: Stop, Motion: s.motion})
		s.motion = Motion{}
	}
	s.stopOurs()
}

func (s *conversation) say(m Message) { s.frame(CameraControl, m.Marshal()) }

func (s *conversation) frame(to Client, data []byte) {
	s.send(&Frame{High: to == CameraControl, Client: to, Whole: true, Data: data})
}

// greet tells who we are, and asks who is there, a few times over.
func (s *conversation) greet(now time.Time) {
	s.greeted = 0
	s.introduce(now)
}

func (s *conversation) introduce(now time.Time) {
	s.greeting = time.Time{}
	if s.greeted < greetings && s.far == nil {
		s.greeting = now.Add(greetEvery)
	}
	s.greeted++
	s.frame(Management, []byte{clientList, asks})
	s.frame(Management, []byte{capabilities, asks, byte(CameraControl) | hasMore})
	if s.cfg.Camera != nil {
		s.frame(Management, marshalClients())
		s.frame(Management, marshalAbilities(*s.cfg.Camera))
	}
}

func (s *conversation) hear(now time.Time, f *Frame) {
	switch {
	case !f.Whole:
	case f.Client == Management:
		s.managed(f.Data)
	case f.Client == CameraControl:
		if m, err := ParseMessage(f.Data); err == nil {
			s.command(now, *m)
		}
	}
}

func (s *conversation) managed(data []byte) {
	if len(data) < 2 {
		return
	}
	switch {
	case data[0] == capabilities && data[1] == tells:
		if a, err := parseAbilities(data); err == nil {
			s.far, s.greeting = &a, time.Time{}
		}
	case s.cfg.Camera == nil:
	case data[0] == clientList && data[1] == asks:
		s.frame(Management, marshalClients())
	case data[0] == capabilities && data[1] == asks:
		s.frame(Management, marshalAbilities(*s.cfg.Camera))
	}
}

// command is what the far end wants of our camera.
func (s *conversation) command(now time.Time, m Message) {
	switch m.Kind {
	case Start:
		s.moving, s.expires = m.Motion, now.Add(m.Timeout)
	case Continue: // H.281 clause 5: one that does not fit what moves is passed over
		if m.Motion != s.moving || !m.Motion.Moving() {
			return
		}
		s.expires = now.Add(maxTimeout)
	case Stop:
		s.moving, s.expires = Motion{}, time.Time{}
	}
	s.cfg.OnMessage(m)
}

// stopOurs stops our camera when nobody says any more that it is to move.
func (s *conversation) stopOurs() {
	was := s.moving
	s.moving, s.expires = Motion{}, time.Time{}
	if was.Moving() {
		s.cfg.OnMessage(Message{Kind: Stop, Motion: was})
	}
}
