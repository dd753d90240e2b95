package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
)

// Participant is one row of a roster.
type Participant struct {
	Identity   string             `json:"identity"`
	Name       string             `json:"name"`
	Kind       string             `json:"kind" enum:"browser,terminal,phone"`
	CallID     string             `json:"call_id,omitempty" doc:"Of terminals and phones on this node."`
	Speaking   bool               `json:"speaking"`
	Muted      bool               `json:"muted"`
	Attributes map[string]string  `json:"attributes,omitempty"`
	Tracks     []ParticipantTrack `json:"tracks" nullable:"false"`
}

// ParticipantTrack is something a participant publishes.
type ParticipantTrack struct {
	ID     string `json:"id"`
	Kind   string `json:"kind" enum:"audio,video,content"`
	Muted  bool   `json:"muted"`
	Codec  string `json:"codec,omitempty"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
}

func participantView(p gateway.Participant) Participant {
	kind := p.Kind
	if kind == "" {
		kind = call.Browser
	}
	return Participant{
		Identity: p.Identity, Name: p.Name, Kind: string(kind), CallID: p.CallID,
		Speaking: p.Speaking, Muted: p.Muted, Attributes: p.Attributes,
		Tracks: views(p.Tracks, func(t call.ParticipantTrack) ParticipantTrack {
			return ParticipantTrack{ID: t.ID, Kind: t.Role, Muted: t.Muted, Codec: t.Codec, Width: t.Width, Height: t.Height}
		}),
	}
}

// ParticipantPath names a participant of a meeting.
type ParticipantPath struct {
	MeetingPath
	Identity string `path:"identity" minLength:"1" maxLength:"256"`
}

type participantQuery struct {
	MeetingPath
	PageQuery
}

type participantList struct {
	Body struct {
		Participants []Participant `json:"participants" nullable:"false"`
		NextCursor   string        `json:"next_cursor,omitempty"`
	}
}

func (a *API) participants() {
	const tag = "Participants"
	huma.Register(a.huma, operation("list-participants", http.MethodGet, "/meetings/{alias}/participants", "List who is in a meeting", tag,
		http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable),
		func(ctx context.Context, in *participantQuery) (*participantList, error) {
			all, err := a.Gateway.Participants(ctx, in.Alias)
			if err != nil {
				return nil, a.problem(err)
			}
			page, next, err := paged(all, func(p gateway.Participant) string { return p.Identity }, in.PageQuery)
			if err != nil {
				return nil, err
			}
			out := &participantList{}
			out.Body.Participants, out.Body.NextCursor = views(page, participantView), next
			return out, nil
		})
	for _, o := range []struct {
		id, verb, summary string
		muted             bool
	}{
		{"mute-participant", "mute", "Mute somebody", true},
		{"unmute-participant", "unmute", "Lift a mute", false},
	} {
		op := operation(o.id, http.MethodPost, "/meetings/{alias}/participants/{identity}/"+o.verb, o.summary, tag, http.StatusNotFound)
		op.DefaultStatus = http.StatusNoContent
		huma.Register(a.huma, op, func(ctx context.Context, in *ParticipantPath) (*struct{}, error) {
			if err := a.Gateway.MuteParticipant(ctx, in.Alias, in.Identity, o.muted); err != nil {
				return nil, a.problem(err)
			}
			return nil, nil
		})
	}
	for _, o := range []struct {
		id, verb, summary, description string
		yes                            bool
	}{
		{"present-participant", "present", "Let somebody present", "Answers who waits for a yes, or hands a terminal's or browser's content on from whoever presents.", true},
		{"stop-presenting-participant", "stop-presenting", "Stop somebody presenting", "Or deny their wish to.", false},
	} {
		op := operation(o.id, http.MethodPost, "/meetings/{alias}/participants/{identity}/"+o.verb, o.summary, tag, http.StatusNotFound)
		op.DefaultStatus, op.Description = http.StatusNoContent, o.description
		huma.Register(a.huma, op, func(_ context.Context, in *ParticipantPath) (*struct{}, error) {
			if err := a.Gateway.Present(in.Alias, in.Identity, o.yes); err != nil {
				return nil, a.problem(err)
			}
			return nil, nil
		})
	}
	huma.Register(a.huma, operation("remove-participant", http.MethodDelete, "/meetings/{alias}/participants/{identity}", "Put somebody out of a meeting", tag, http.StatusNotFound),
		func(ctx context.Context, in *ParticipantPath) (*struct{}, error) {
			if err := a.Gateway.RemoveParticipant(ctx, in.Alias, in.Identity); err != nil {
				return nil, a.problem(err)
			}
			return nil, nil
		})
}
