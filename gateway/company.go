package gateway

import (
	"context"
	"slices"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/lobby/prompt"
	"github.com/roomgate/roomgate/media/tone"
)

// company is who is in a meeting, as far as others' places depend on it; guarded
// by Gateway.mu.
type company struct {
	hosts        int // legs of this node
	browserHosts int // as they were at the last look
	browsers     int
	looked       time.Time // when the keeper last had it looked at
	began        time.Time // when the first leg came
	alone        time.Time // since when no browser is there
	warned       bool      // of the end
}

// attrRole is the attribute under which the SFU's participants show their role.
const attrRole = "roomgate.role"

// lookAround counts the hosts of a meeting among the browsers.
func (g *Gateway) lookAround(ctx context.Context, alias string) {
	if g.in.Admin == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	rows, err := g.in.Admin.Participants(ctx, alias)
	if err != nil {
		return // it stays as it was
	}
	hosts, browsers := 0, 0
	for _, row := range rows {
		if !row.Hidden && (row.Kind == call.Browser || row.Kind == "") {
			browsers++
		}
		if row.Attributes[attrRole] == call.RoleHost {
			hosts++
		}
	}
	g.mu.Lock()
	if m := g.meetings[alias]; m != nil {
		m.browserHosts, m.browsers = hosts, browsers
	}
	g.mu.Unlock()
}

// waiting are the attendants whose legs wait for a host of a meeting; "" of any.
func (g *Gateway) waiting(alias string) (list []*attendant) {
	for _, s := range g.living() {
		s.mu.Lock()
		if a := s.desk; a != nil && a.waits != 0 && (alias == "" || a.meeting == alias) {
			list = append(list, a)
		}
		s.mu.Unlock()
	}
	return list
}

// seated follows a leg that has come into a meeting.
func (g *Gateway) seated(s *session, p *place) {
	if p.host {
		for _, a := range g.waiting(p.meeting.spec().Alias) {
			a.nudge()
		}
	}
	s.announce(p, arrivalTone, prompt.Came)
}

// Tones of 16 kHz, rising when somebody comes and falling when somebody goes.
var (
	arrivalTone   = chime(660, 880)
	departureTone = chime(880, 660)
)

const chimeRate = 16000

func chime(first, second float64) []int16 {
	return append(tone.Beep(chimeRate, first, chimeRate/8), tone.Beep(chimeRate, second, chimeRate/6)...)
}

// quietFrom is the number of legs from which comings and goings are not sounded:
// in an assembly they would never cease.
const quietFrom = 24

// announce sounds a tone to the others in a meeting and tells them the name that was said
// in the lobby.
func (s *session) announce(p *place, tone []int16, id prompt.ID) {
	g := s.g
	if p.meeting.private {
		return
	}
	sound := s.toldName(id)
	if g.settings.Load().Lobby.Tones {
		sound = append(slices.Clone(tone), sound...)
	}
	if len(sound) == 0 {
		return
	}
	g.mu.Lock()
	legs := p.meeting.legs
	g.mu.Unlock()
	if legs > 1 && legs < quietFrom {
		p.bridge.Announce(sound, chimeRate, p.member)
	}
}
