package terminal

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/roomgate/roomgate/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair lets one terminal call another, until both have heard and seen enough
// and the caller has sent its digits.
func pair(t *testing.T, caller, callee Options) (calling, called Report) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	enough := func(packets uint64, frames pictures, from Options) bool {
		const few = 45
		video := !caller.AudioOnly && !callee.AudioOnly
		return packets > 100 && (frames[media.Main] > few || !video) && (frames[media.Content] > few || from.Content == "")
	}
	var content atomic.Bool
	callee.enough = func(packets uint64, frames pictures, _ string) bool {
		content.Store(enough(packets, frames, caller))
		return false
	}
	caller.enough = func(packets uint64, frames pictures, digits string) bool {
		return content.Load() && enough(packets, frames, callee) && digits == caller.DTMF
	}
	ready := make(chan string, 1)
	answered := make(chan Report, 1)
	callee.Listen = true
	callee.Ready = func(address string) { ready <- address }
	for _, o := range []*Options{&caller, &callee} {
		if o.Address == "" {
			o.Address = "127.0.0.1"
		}
		o.Logger = zaptest.NewLogger(t, zaptest.Level(zap.InfoLevel))
	}
	failed := make(chan error, 1)
	go func() {
		r, err := Run(ctx, callee)
		failed <- err
		answered <- r
	}()
	select {
	case caller.Call = <-ready:
	case err := <-failed:
		t.Fatal(err)
	}
	calling, err := Run(ctx, caller)
	require.NoError(t, err)
	require.NoError(t, <-failed)
	return calling, <-answered
}

// pictures are how many were seen, by role.
type pictures = [media.Content + 1]int

// TestPresentation sends a second video: by the token of H.239, or as one more line of SDP.
func TestPresentation(t *testing.T) {
	for _, floor := range []string{"h323", "udp", "tcp", "tls", "nobody"} {
		for _, presenter := range []string{"caller", "callee"} {
			t.Run(floor+" "+presenter, func(t *testing.T) {
				t.Parallel()
				var a, b Options
				switch floor {
				case "h323":
					a.Protocol, b.Protocol = "h323", "h323"
				case "nobody": // two clients: nobody controls the floor
				default:
					a.FloorTransport, b.FloorServer = floor, true
				}
				if presenter == "caller" {
					a.Content = "pattern360"
				} else {
					b.Content = "pattern360"
				}
				calling, called := pair(t, a, b)
				to, from := called, calling
				if presenter == "callee" {
					to, from = calling, called
				}
				require.NotNil(t, to.Content)
				assert.Equal(t, 640, to.Content.Width)
				assert.NotZero(t, to.Content.Keyframes)
				assert.Nil(t, from.Content)
				require.NotNil(t, from.Presenting)
				assert.Equal(t, "granted", from.Presenting.State)
				assert.GreaterOrEqual(t, from.Presenting.GrantedMS, int64(0))
				assert.True(t, to.OK())
				assert.True(t, from.OK())
			})
		}
	}
}

func TestTerminalsCallEachOther(t *testing.T) {
	for _, tc := range []struct {
		name           string
		caller, callee Options
		codec          string
		width          int
		encryption     string
	}{
		{"udp", Options{}, Options{}, "G722", 1280, "none"},
		{"tcp", Options{Transport: "tcp"}, Options{Transport: "tcp"}, "G722", 1280, "none"},
		{"tls", Options{Transport: "tls", Encryption: "require"}, Options{Transport: "tls", Encryption: "require"}, "G722", 1280, "srtp"},
		{"ipv6", Options{Address: "::1"}, Options{Address: "::1"}, "G722", 1280, "none"},
		{"polycom", Options{Vendor: "polycom"}, Options{}, "G722", 1280, "none"},
		{"cisco", Options{Vendor: "cisco"}, Options{}, "G722", 1280, "none"},
		{"mode 0", Options{PacketizationModes: []uint8{0}}, Options{}, "G722", 640, "none"},
		{"alaw", Options{Codecs: []string{"PCMA"}}, Options{}, "PCMA", 1280, "none"},
		{"opus", Options{Codecs: []string{"opus"}}, Options{Codecs: []string{"opus"}}, "opus", 1280, "none"},
		{"siren 14", Options{Codecs: []string{"G7221C"}}, Options{Codecs: polycomCodecs, AudioOnly: true}, "G7221", 0, "none"},
		{"siren 7", Options{Codecs: []string{"G7221@24000"}}, Options{Codecs: polycomCodecs, AudioOnly: true}, "G7221", 0, "none"},
		{"audio only", Options{AudioOnly: true}, Options{}, "G722", 0, "none"},
		{"h323", Options{Protocol: "h323"}, Options{Protocol: "h323"}, "G722", 1280, "none"},
		{"h323 fast", Options{Protocol: "h323", FastStart: "on"}, Options{Protocol: "h323", Tunnel: "off"}, "G722", 1280, "none"},
		{"h323 early ipv6", Options{Protocol: "h323", Address: "::1", EarlyH245: true}, Options{Protocol: "h323", Address: "::1"}, "G722", 1280, "none"},
		{"h323 mode 0", Options{Protocol: "h323", PacketizationModes: []uint8{0}}, Options{Protocol: "h323", Tunnel: "off"}, "G722", 640, "none"},
		{"h323 encrypted", Options{Protocol: "h323", Encryption: "require"}, Options{Protocol: "h323", Encryption: "prefer"}, "G722", 1280, "h235"},
		{"h323 encryption wanted in vain", Options{Protocol: "h323", Encryption: "prefer", FastStart: "on"}, Options{Protocol: "h323", Encryption: "off"}, "G722", 1280, "none"},
		{"h323 opus", Options{Protocol: "h323", Codecs: []string{"opus"}}, Options{Protocol: "h323", Codecs: []string{"opus"}, Tunnel: "off"}, "opus", 1280, "none"},
		{"h323 siren 14", Options{Protocol: "h323", Codecs: []string{"G7221C"}}, Options{Protocol: "h323", Codecs: polycomCodecs, AudioOnly: true}, "G7221", 0, "none"},
		{"h323 cisco", Options{Protocol: "h323", Vendor: "cisco"}, Options{Protocol: "h323", Vendor: "polycom"}, "G722", 1280, "none"},
		{"h323 audio only", Options{Protocol: "h323", AudioOnly: true, Tunnel: "off"}, Options{Protocol: "h323"}, "G722", 0, "none"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.caller.Audio, tc.callee.Audio = "tone:440", "tone:1000"
			calling, called := pair(t, tc.caller, tc.callee)
			for _, side := range []struct {
				name string
				Report
				hz int
			}{{"caller", calling, 1000}, {"callee", called, 440}} {
				assert.True(t, side.OK(), side.name)
				assert.Equal(t, tc.encryption, side.Encryption, side.name)
				require.NotNil(t, side.Audio, side.name)
				assert.Equal(t, tc.codec, side.Audio.Codec, side.name)
				assert.InDelta(t, side.hz, side.Audio.FrequencyHz, 5, side.name)
				assert.InDelta(t, toneLevel, side.Audio.LevelDBFS, 2, side.name)
				assert.Greater(t, side.Audio.Packets, uint64(60), side.name)
				if tc.width == 0 {
					assert.Nil(t, side.Video, side.name)
					continue
				}
				require.NotNil(t, side.Video, side.name)
				assert.Equal(t, tc.width, side.Video.Width, side.name)
				assert.Greater(t, side.Video.Frames, 30, side.name)
				assert.NotZero(t, side.Video.Keyframes, side.name)
				assert.GreaterOrEqual(t, side.Video.FirstMS, int64(0), side.name)
			}
		})
	}
}

// TestSteering moves the camera of the far side, over H.224 in RTP of either protocol.
func TestSteering(t *testing.T) {
	for _, protocol := range []string{"sip", "h323"} {
		for _, security := range []string{"off", "prefer"} {
			t.Run(protocol+" "+security, func(t *testing.T) {
				t.Parallel()
				o := Options{Protocol: protocol, Encryption: security}
				if protocol == "sip" && security == "prefer" {
					o.Transport = "tls"
				}
				caller, callee := o, o
				caller.Steer, caller.DTMF, caller.DTMFAfter = "right,up,in,left,focus-out,store:3,preset:3", "1", 5000*time.Millisecond
				callee.FocusCamera = true
				_, called := pair(t, caller, callee)
				c := called.Camera
				require.NotNil(t, c)
				assert.Equal(t, 5, c.Moves)
				assert.InDelta(t, 0, c.PanMS, 150)
				assert.InDelta(t, 500, c.TiltMS, 150)
				assert.InDelta(t, 500, c.ZoomMS, 150)
				assert.InDelta(t, -500, c.FocusMS, 150)
				assert.Equal(t, []int{3}, c.Stored)
				assert.Equal(t, []int{3}, c.Visited)
			})
		}
	}
}
