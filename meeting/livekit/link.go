package livekit

import (
	"context"
	"time"

	"github.com/livekit/protocol/livekit"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
)

type link struct{}

func (l *link) stop(error) {}

// Events delivers in order; closed after Ended.
func (l *link) Events() <-chan Event { panic("incomplete") }

// Done is closed when the participant has left for good.
func (l *link) Done() <-chan struct{} { panic("incomplete") }

// Err says why, once Done is closed; nil after Close.
func (l *link) Err() error { panic("incomplete") }

// Close leaves the room and waits.
func (l *link) Close() error { panic("incomplete") }

type pulse struct{}

func newPulse(time.Duration) *pulse { return nil }
func (p *pulse) close()             {}

type reception struct{}
type publishing struct{}

func (p *publishing) publish(context.Context, media.Track) (func(), error) { panic("incomplete") }
func (p *publishing) setMuted(media.Role, bool)                            {}
func (p *publishing) isMuted(media.Role) bool                              { panic("incomplete") }
func (p *publishing) isWanted(media.Role) bool                             { panic("incomplete") }
func (p *publishing) setSize(media.Role, int, int)                         {}
func (p *publishing) stats() []media.StreamStats                           { panic("incomplete") }

func participantOf(*livekit.ParticipantInfo) call.Participant { panic("incomplete") }
