package terminal

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/transcode/video/videotest"
)

// Terminals show each other test cards in every codec, and read them.
func TestCardsInEveryCodec(t *testing.T) {
	worker := videotest.Program(t)
	few := make(chan struct{}, 2) // at a time: each codes and decodes two pictures
	for _, tc := range []struct {
		codec string
		width int
		h323  bool
	}{{"H264", 1280, false}, {"VP8", 640, false}, {"H263", 352, false}, {"H263-1998", 352, false}, {"H261", 352, false}, {"H263", 352, true}, {"H261", 352, true}} {
		protocol := "sip"
		if tc.h323 {
			protocol = "h323"
		}
		t.Run(tc.codec+" "+protocol, func(t *testing.T) {
			t.Parallel()
			few <- struct{}{}
			defer func() { <-few }()
			options := func(card string) Options {
				return Options{Protocol: protocol, Video: card, VideoCodecs: []string{tc.codec}, Worker: worker, Tiles: true}
			}
			calling, called := pair(t, options("card:11"), options("card:12"))
			for _, side := range []struct {
				name string
				Report
				sees int
			}{{"caller", calling, 12}, {"callee", called, 11}} {
				require.NotNil(t, side.Video, side.name)
				assert.Equal(t, tc.codec, side.Video.Codec, side.name)
				assert.Equal(t, tc.width, side.Video.Width, side.name)
				require.Len(t, side.Video.Tiles, 1, side.name)
				tile := side.Video.Tiles[0]
				assert.Equal(t, side.sees, tile.Identity, side.name)
				assert.Greater(t, tile.Frames, 5, side.name)
				assert.InDelta(t, tc.width, tile.Width, 12, side.name)
			}
		})
	}
}

func TestCardOptions(t *testing.T) {
	for _, o := range []Options{
		{Call: "x", Video: "card:64"}, {Call: "x", Video: "card:"}, {Call: "x", Content: "page:1@1280x721"}, {Call: "x", Content: "page:1@9999x720"}, {Call: "x", Content: "page:1@"}, {Call: "x", VideoCodecs: []string{"H265"}},
	} {
		_, err := o.prepare()
		assert.ErrorIs(t, err, ErrOptions)
	}
}
