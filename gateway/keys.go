package gateway

import (
	"cmp"
	"github.com/roomgate/roomgate/directory"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/keypad"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/gateway/lobby/prompt"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/tone"
)

// What the keys of phones and terminals do in a meeting. A voice says what came of them,
// in the language of the lobby; to those of whom no language is known, in all.

// command takes a key in a meeting. It does not block.
func (s *session) command(key rune) {
	if s.forbids(directory.Commands) {
		return
	}
	s.mu.Lock()
	p := s.place
	if p == nil || p.meeting.private || s.state == StateEnded || !s.g.settings.Load().Keypad {
		s.mu.Unlock()
		return
	}
	c := s.keys.Press(key, s.g.in.Now())
	s.mu.Unlock()
	if c == keypad.None || !s.g.begin() {
		return
	}
	go func() {
		defer s.g.wait.Done()
		s.obey(c, p)
	}()
}

func (s *session) obey(c keypad.Command, p *place) {
	switch c {
	case keypad.Begun:
		p.member.Play(begunTone, chimeRate, true)
	case keypad.Help:
		s.say(p, s.keysThatWork(p)...)
	case keypad.Layout:
		s.say(p, s.nextLayout(p))
	case keypad.Present:
		s.say(p, presented[p.member.PresentPicture()])
	case keypad.Chat:
		if err := s.g.ShowChat(s.id); err != nil {
			s.say(p, prompt.NoChat)
		}
	case keypad.Lock:
		s.say(p, s.toggleLock(p))
	case keypad.Mute:
		s.mu.Lock()
		muted := !s.muted
		s.mu.Unlock()
		s.setMuted(muted)
		if muted {
			s.say(p, prompt.Muted)
		} else {
			s.say(p, prompt.Unmuted)
		}
	default:
		s.say(p, prompt.NoKey)
	}
}

// begunTone says that * was heard.
var begunTone = tone.Beep(chimeRate, 1000, chimeRate/20)

// presented says what came of the key that presents.
var presented = map[bridge.Presented]prompt.ID{
	bridge.PresentsNothing: prompt.NoPicture, bridge.PresentsNow: prompt.Presenting, bridge.PresentsLater: prompt.PresentingWaits,
	bridge.PresentsDenied: prompt.PresentingDenied, bridge.PresentsNoMore: prompt.PresentingEnds,
}

// presentingKeyed tells who asked by a key what has become of it.
func (s *session) presentingKeyed(presents bool) {
	s.mu.Lock()
	p := s.place
	s.mu.Unlock()
	id := prompt.PresentingEnds
	if presents {
		id = prompt.Presenting
	}
	if p != nil {
		s.say(p, id)
	}
}

// say plays prompts to the leg alone, in place of what is playing.
func (s *session) say(p *place, ids ...prompt.ID) {
	set := s.g.in.Prompts
	if set == nil {
		return
	}
	var pcm []int16
	for _, l := range s.spoken() {
		for _, id := range ids {
			pcm = append(pcm, set.Sound(prompt.Clip{Language: l, ID: id})...)
		}
	}
	p.member.Play(pcm, prompt.Rate, true)
}

// spoken are the languages that the leg is spoken to in.
func (s *session) spoken() []prompt.Language {
	s.mu.Lock()
	chosen := s.language
	s.mu.Unlock()
	settings := s.g.settings.Load().Lobby
	l := cmp.Or(chosen, prompt.Language(cmp.Or(settings.TrunkLanguage[s.leg.Info().Remote.Trunk], settings.Language)))
	if l == "" {
		return prompt.Languages
	}
	return []prompt.Language{l}
}

// keysThatWork are those that the leg has a use for.
func (s *session) keysThatWork(p *place) []prompt.ID {
	ids := []prompt.ID{prompt.KeysMute}
	if s.hasPicture() {
		ids = append(ids, prompt.KeysLayout, prompt.KeysPresent, prompt.KeysChat)
	}
	if p.host {
		ids = append(ids, prompt.KeysLock)
	}
	return ids
}

func (s *session) hasPicture() bool {
	for _, st := range s.leg.Info().Streams {
		if st.Role == media.Main && st.Direction != media.Inactive {
			return true
		}
	}
	return false
}

// turns are the layouts by key, in order.
var turns = []struct {
	kind layout.Kind
	says prompt.ID
}{{layout.Auto, prompt.LayoutAuto}, {layout.Speaker, prompt.LayoutSpeaker}, {layout.Grid, prompt.LayoutGrid}, {layout.Single, prompt.LayoutSingle}}

// nextLayout shows the leg the next layout, whoever it has pinned.
func (s *session) nextLayout(p *place) prompt.ID {
	if !s.hasPicture() {
		return prompt.NoKey
	}
	s.mu.Lock()
	now, pinned := cmp.Or(s.layout, layoutOf(p.meeting)), s.pinned
	s.mu.Unlock()
	next := turns[0]
	for i, t := range turns {
		if t.kind == now {
			next = turns[(i+1)%len(turns)]
		}
	}
	if err := s.g.SetLayout(s.id, string(next.kind), pinned); err != nil { // the call is over
		s.log.Debug("layout not changed", zap.Error(err))
	}
	return next.says
}

func (s *session) toggleLock(p *place) prompt.ID {
	if !p.host {
		return prompt.HostsOnly
	}
	locked := !p.meeting.spec().Locked
	ctx, cancel := s.background()
	defer cancel()
	if err := s.g.Lock(ctx, p.meeting.spec().Alias, locked); err != nil {
		s.log.Warn("the meeting is not locked", zap.Error(err))
		return prompt.NoKey
	}
	if locked {
		return prompt.Locking
	}
	return prompt.Unlocking
}
