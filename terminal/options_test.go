package terminal

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOptionsRefused(t *testing.T) {
	for _, tc := range []struct {
		name string
		o    Options
	}{
		{"nothing to do", Options{}},
		{"both", Options{Call: "a@b", Listen: true}},
		{"protocol", Options{Call: "a@b", Protocol: "iax"}},
		{"transport", Options{Call: "a@b", Transport: "sctp"}},
		{"encryption", Options{Call: "a@b", Encryption: "maybe"}},
		{"vendor", Options{Call: "a@b", Vendor: "acme"}},
		{"mode", Options{Call: "a@b", PacketizationModes: []uint8{2}}},
		{"no pictures", Options{Call: "a@b", FPS: 0.5}},
		{"beeps of another rate", Options{Call: "a@b", FPS: 15, Sync: true}},
		{"tone", Options{Call: "a@b", Audio: "tone:loud"}},
		{"ultrasound", Options{Call: "a@b", Audio: "tone:40000"}},
		{"register without password", Options{Call: "a@b", Register: "user@host"}},
		{"register without host", Options{Call: "a@b", Register: "user:secret@"}},
		{"register without user", Options{Call: "a@b", Register: ":secret@host"}},
		{"address", Options{Call: "a@b", Address: "eth0"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := tc.o.prepare()
			assert.ErrorIs(t, err, ErrOptions)
		})
	}
}

func TestTarget(t *testing.T) {
	for _, tc := range []struct {
		o       Options
		address string
		from    string
	}{
		{Options{Call: "demo@127.0.0.1"}, "sip:demo@127.0.0.1", "terminal"},
		{Options{Call: "sip:demo@h:5070;transport=tcp", Transport: "tcp"}, "sip:demo@h:5070;transport=tcp", "terminal"},
		{Options{Call: "demo@h", Transport: "tls", Register: "room1:p@ss@h"}, "sip:demo@h;transport=tls", "room1"},
		{Options{Call: "demo@[::1]:5060", User: "me"}, "sip:demo@[::1]:5060", "me"},
	} {
		p, err := tc.o.prepare()
		require.NoError(t, err)
		target := p.target()
		assert.Equal(t, tc.address, target.Address)
		assert.Equal(t, tc.from, target.From)
	}
}

func TestCapabilities(t *testing.T) {
	p, err := Options{Call: "a@b", Codecs: []string{"opus", "pcmu", "nonsense"}, Content: "pattern"}.prepare()
	require.NoError(t, err)
	can := p.capabilities()
	assert.Len(t, can.Audio, 2)
	assert.Len(t, can.Video, 2)
	assert.Len(t, can.Content, 2)
	p, err = Options{Call: "a@b", Codecs: []string{"g7221c", "G7221@24000", "G7221@48000", "G7221C@x", "PCMA@64000"}}.prepare()
	require.NoError(t, err)
	modes := map[uint32]int{}
	for _, f := range p.capabilities().Audio {
		modes[f.ClockRate] = f.Bitrate
	}
	assert.Equal(t, map[uint32]int{32000: 48000, 16000: 24000}, modes)
	p, err = Options{Call: "a@b", Vendor: "polycom"}.prepare()
	require.NoError(t, err)
	assert.Len(t, p.capabilities().Audio, len(polycomCodecs))
	var offered [][2]uint32
	for _, f := range p.capabilities().Video {
		offered = append(offered, [2]uint32{f.H264.ProfileLevelID, uint32(f.H264.PacketizationMode)})
	}
	assert.Equal(t, [][2]uint32{{0x42801f, 0}, {0x42801f, 1}, {0x640020, 1}}, offered)
	p, err = Options{Call: "a@b", AudioOnly: true, Content: "pattern"}.prepare()
	require.NoError(t, err)
	assert.Empty(t, p.capabilities().Video)
	assert.Empty(t, p.capabilities().Content)
}
