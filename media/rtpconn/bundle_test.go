package rtpconn_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/media/rtpconn"
)

func TestBundle(t *testing.T) {
	pool, err := portpool.New(portpool.Config{Low: 30000, High: 30999})
	require.NoError(t, err)
	b := rtpconn.Bundle{OnTrack: func(media.Track) {}}
	open := func() (*rtpconn.Session, error) {
		return rtpconn.New(rtpconn.Config{Pool: pool, Local: netip.MustParseAddr("127.0.0.1")})
	}
	require.Nil(t, b.Get(media.Audio))
	audio, err := b.Open(media.Audio, open)
	require.NoError(t, err)
	again, err := b.Open(media.Audio, open)
	require.NoError(t, err)
	require.Same(t, audio, again)
	_, err = b.Open(media.Main, open)
	require.NoError(t, err)
	require.Len(t, b.All(), 2)
	require.Len(t, b.Stats(), 4) // both directions of each
	failed := errors.New("no ports")
	_, err = b.Open(media.Content, func() (*rtpconn.Session, error) { return nil, failed })
	require.ErrorIs(t, err, failed)
	b.Drop(media.Main)
	b.Drop(media.Main)
	require.Equal(t, []*rtpconn.Session{audio}, b.All())
	b.Close()
	_, err = b.Open(media.Main, open)
	require.ErrorIs(t, err, rtpconn.ErrClosed)
	require.Zero(t, pool.Stats().InUse)
}
