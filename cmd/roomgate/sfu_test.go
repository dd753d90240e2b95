package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/meeting/livekit"
)

// Of browsers legs on narrow paths take the low layer, of legs of other nodes the large size.
func TestQualityOfRemotePictures(t *testing.T) {
	all := []call.Participant{
		{Identity: "web", Tracks: []call.ParticipantTrack{{ID: "TR_web", Role: "video"}}},
		{Identity: "leg-1", Attributes: map[string]string{call.AttrLeg: "1"}, Tracks: []call.ParticipantTrack{{ID: "TR_sound", Role: "audio"}, {ID: "TR_leg", Role: "video"}}},
	}
	for id, want := range map[string]livekit.Quality{"TR_web": livekit.Low, "TR_leg": livekit.High, "TR_unknown": livekit.Low} {
		assert.Equal(t, want, qualityOf(id, livekit.Low, all), id)
		assert.Equal(t, livekit.High, qualityOf(id, livekit.High, all), id)
	}
}
