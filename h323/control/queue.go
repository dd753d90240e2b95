package control

import "github.com/roomgate/roomgate/h323/h245"

// queue holds what a step sends and tells until the step is over.
type queue struct {
	messages []*h245.MultimediaSystemControlMessage
	events   []Event
	changed  bool // MediaChanged is due
	flushing bool
}

func (s *Session) send(m *h245.MultimediaSystemControlMessage) {
	s.queue.messages = append(s.queue.messages, m)
}

func (s *Session) sendRequest(m *h245.RequestMessage) {
	s.send(&h245.MultimediaSystemControlMessage{Request: m})
}

func (s *Session) sendResponse(m *h245.ResponseMessage) {
	s.send(&h245.MultimediaSystemControlMessage{Response: m})
}

func (s *Session) sendCommand(m *h245.CommandMessage) {
	s.send(&h245.MultimediaSystemControlMessage{Command: m})
}

func (s *Session) sendIndication(m *h245.IndicationMessage) {
	s.send(&h245.MultimediaSystemControlMessage{Indication: m})
}

func (s *Session) emit(e Event) { s.queue.events = append(s.queue.events, e) }

// changed notes that the outcome is another one.
func (s *Session) changed() { s.queue.changed = true }

// flush sends the messages, then tells the events. Emit may take further steps: what
// comes of them is flushed by the same loop.
func (s *Session) flush() {
	q := &s.queue
	if q.flushing {
		return
	}
	q.flushing = true
	defer func() { q.flushing = false }()
	for {
		messages := q.messages
		q.messages = nil
		for _, m := range messages {
			s.cfg.Send(m)
		}
		if q.changed {
			q.changed = false
			q.events = append(q.events, MediaChanged{})
		}
		if len(q.events) == 0 {
			return
		}
		e := q.events[0]
		q.events = q.events[1:]
		s.cfg.Emit(e)
	}
}

// ptr is for the optional fields of messages.
func ptr[T any](v T) *T { return &v }
