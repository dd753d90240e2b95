package livekit

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/roomgate/roomgate/call"
)

// Reasons a seat or a receiver does not begin or ends. Match with errors.Is.
var (
	// ErrRefused: the SFU does not accept our token or its grants (401, 403).
	ErrRefused = errors.New("refused by the sfu")
	// ErrRoomFull: the room has as many participants as it may.
	ErrRoomFull = errors.New("meeting is full")
	// ErrNoRoom: the room does not exist and is not made on demand (404).
	ErrNoRoom = errors.New("no such meeting")
	// ErrUnreachable: the SFU did not answer within the join timeout.
	ErrUnreachable = errors.New("sfu unreachable")
	// ErrRemoved: a moderator removed the participant.
	ErrRemoved = errors.New("removed from the meeting")
	// ErrRoomClosed: the room was deleted or closed.
	ErrRoomClosed = errors.New("meeting ended")
	// ErrReplaced: another participant took our identity.
	ErrReplaced = errors.New("identity taken over by another participant")
	// ErrNotPermitted: the SFU refused a publication.
	ErrNotPermitted = errors.New("not permitted to publish")
	// ErrFormat: the track's codec cannot be published.
	ErrFormat = errors.New("format cannot be published to the meeting")

	errClosed = errors.New("closed")
	errBroken = errors.New("link to the sfu broke")
)

// JoinError is a join that the SFU answered with an HTTP error.
type JoinError struct {
	Status int    // HTTP status
	Text   string // what the server said
}

func (e *JoinError) Error() string {
	return fmt.Sprintf("sfu refused the join: %d %s", e.Status, e.Text)
}

// Is maps the server's answers to the sentinels. A full room is answered with
// 500 "connection closed by media".
func (e *JoinError) Is(target error) bool {
	switch target {
	case ErrRefused:
		return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || e.Status == http.StatusBadRequest
	case ErrNoRoom:
		return e.Status == http.StatusNotFound
	case ErrRoomFull:
		return e.Status == http.StatusInternalServerError && strings.Contains(e.Text, "connection closed by media")
	}
	return false
}

// permanent reports whether trying the same again cannot help.
func permanent(err error) bool {
	for _, target := range []error{ErrRefused, ErrNoRoom, ErrRoomFull, ErrRemoved, ErrRoomClosed, ErrReplaced, errClosed} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// Cause says a join error in the words calls end with.
func Cause(err error) call.Cause {
	switch {
	case err == nil:
		return call.Cause{Code: call.NormalClearing}
	case errors.Is(err, ErrRoomFull):
		return call.Cause{Code: call.UserBusy, Text: ErrRoomFull.Error()}
	case errors.Is(err, ErrRemoved):
		return call.Cause{Code: call.Removed}
	case errors.Is(err, ErrRoomClosed), errors.Is(err, ErrNoRoom):
		return call.Cause{Code: call.MeetingEnded}
	case errors.Is(err, ErrRefused):
		return call.Cause{Code: call.Rejected, Text: ErrRefused.Error()}
	case errors.Is(err, ErrUnreachable):
		return call.Cause{Code: call.Congestion, Text: ErrUnreachable.Error(), RetryAfter: 10}
	}
	return call.Cause{Code: call.Failure, Text: err.Error()}
}
