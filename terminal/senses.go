package terminal

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
)

// senses are the ears and eyes on what the terminal receives.
type senses struct {
	visit *visit
	stats []media.StreamStats

	mu   sync.Mutex
	ears []*ear
	eyes [media.Content + 1]sight
	// readers by role, where test cards are read.
	readers [media.Content + 1]*reader
	lips    lips
}

// sight measures video.
type sight interface {
	media.Writer
	ask(needKeyframe func())
	seen() int
	report(answer time.Time) (*VideoReport, error)
}

// watch attaches to tracks as they open, until there are no more.
func (s *senses) watch(tracks <-chan media.Track) {
	var wg sync.WaitGroup
	for t := range tracks {
		w, closing, err := s.sense(t)
		if err != nil {
			s.visit.log.Info("track not measured", zap.String("track", t.ID()), zap.Error(err))
			continue
		}
		detach := t.Attach(w)
		t.RequestKeyframe()
		wg.Go(func() {
			<-t.Done()
			detach()
			closing()
		})
	}
	wg.Wait()
}

func (s *senses) sense(t media.Track) (w media.Writer, closing func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.Role() == media.Audio {
		e, err := newEar(t.Format(), s.file(s.visit.RecordAudio, len(s.ears) == 0))
		if err != nil {
			return nil, nil, err
		}
		if s.visit.Sync {
			e.lips, e.track = &s.lips, t
		}
		s.ears = append(s.ears, e)
		return e, func() {}, nil
	}
	// A sender that begins anew is seen by the same eye.
	e, closing := s.eyes[t.Role()], func() {}
	if e == nil {
		if e, err = s.open(t); err != nil {
			return nil, nil, err
		}
		s.eyes[t.Role()] = e
	}
	throttle := h264.NewThrottle(time.Second, t.RequestKeyframe)
	e.ask(throttle.Request)
	stage := s.visit.tileStage()
	if stage == nil {
		return e, throttle.Close, nil
	}
	r, err := newReader(stage, t)
	if err != nil {
		throttle.Close()
		return nil, nil, err
	}
	if s.visit.Sync && t.Role() == media.Main {
		r.lips.Store(&s.lips)
	}
	s.readers[t.Role()] = r
	return e, func() {
		r.source.Close()
		throttle.Close()
	}, nil
}

// open is the eye for a track.
func (s *senses) open(t media.Track) (sight, error) {
	if t.Format().Codec.Is(string(media.H264)) {
		return newEye(s.file(s.visit.RecordVideo, t.Role() == media.Main))
	}
	return newGlance(t.Format())
}

// heard is how many audio packets came so far, seen how many pictures by role.
func (s *senses) heard() (packets uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.ears {
		e.mu.Lock()
		packets += e.packets
		e.mu.Unlock()
	}
	return packets
}

func (s *senses) seen() (frames [media.Content + 1]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for role, e := range s.eyes {
		if e != nil {
			frames[role] = e.seen()
		}
	}
	return frames
}

func (s *senses) file(name string, wanted bool) string {
	if wanted {
		return name
	}
	return ""
}

// report closes everything and says what was sensed.
func (s *senses) report(r *Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.visit
	for _, e := range s.ears {
		a, err := e.report(v.answered)
		v.fault(err)
		if r.Audio == nil || a.Packets > r.Audio.Packets {
			r.Audio = a
		}
	}
	for role, into := range map[media.Role]**VideoReport{media.Main: &r.Video, media.Content: &r.Content} {
		if e := s.eyes[role]; e != nil {
			var err error
			*into, err = e.report(v.answered)
			v.fault(err)
			if !v.Timeline {
				(*into).Timeline = nil
			}
			if r := s.readers[role]; r != nil {
				(*into).Tiles, (*into).Cards = r.read(), r.counted()
				(*into).Page = r.perused()
			}
		}
	}
	if v.Sync {
		r.Sync = s.lips.report()
	}
	for _, st := range s.stats {
		switch {
		case st.Sent:
			r.Sent += st.Packets
		case st.Role == media.Audio && r.Audio != nil:
			// Telephone events are of the stream but not of the track.
			r.Audio.Lost = st.Lost
			r.Audio.JitterMS = round(float64(st.Jitter) / float64(time.Millisecond))
		}
	}
}

func (v *visit) fault(err error) {
	if err != nil {
		v.faults = append(v.faults, err)
	}
}
