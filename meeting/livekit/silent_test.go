package livekit

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A server that takes connections and says nothing is given up: whoever asked, such as
// the API or the keeper of meetings, does not wait for ever.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := New(Config{URL: "ws://" + l.Addr().String(), APIKey: "key", APISecret: "0123456789012345678901234567890123456789", JoinTimeout: 50 * time.Millisecond})
	require.NoError(t, err)
	require.ErrorIs(t, c.DeleteRoom(t.Context(), "88001"), context.DeadlineExceeded)
	_, err = c.Participants(t.Context(), "88001")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
