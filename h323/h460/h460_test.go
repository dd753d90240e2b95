package h460_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/h460"
	"github.com/roomgate/roomgate/h323/internal/golden"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/q931"
)

func recorded(t testing.TB, call string) []golden.Message {
	t.Helper()
	calls, err := golden.Load("../../testdata/h323/captures")
	require.NoError(t, err)
	require.NotEmpty(t, calls[call])
	return calls[call]
}

// The call of the recording was announced, and greeted, as we would.
func TestRecordedAnnouncement(t *testing.T) {
	announced, greeted := 0, 0
	var call h460.IncomingCall
	for _, m := range recorded(t, "gk-routed") {
		switch m.Protocol {
		case "ras":
			r, err := h225.ParseRAS(m.Data)
			require.NoError(t, err)
			if s := r.ServiceControlIndication; s != nil {
				var found bool
				call, found, err = h460.ReadIncomingCall(s.GenericData)
				require.NoError(t, err)
				require.True(t, found)
				require.Equal(t, netip.MustParseAddrPort("127.0.0.10:1720"), call.Address)
				again, err := call.Data()
				require.NoError(t, err)
				require.Equal(t, s.GenericData, again)
				announced++
			}
			if c := r.RegistrationConfirm; c != nil {
				require.NotNil(t, h460.InSet(c.FeatureSet, h460.SignallingTraversal))
				require.Nil(t, h460.InSet(c.FeatureSet, h460.RASOverSignalling))
			}
		case "q931":
			q, err := q931.Parse(m.Data)
			require.NoError(t, err)
			u, err := h225.FromQ931(q)
			require.NoError(t, err)
			if q.Type != q931.Facility || q.Reference.Value != 0 {
				continue
			}
			id, ok := h460.ReadGreeting(u)
			require.True(t, ok)
			require.Equal(t, call.CallID, id)
			require.Empty(t, h460.TunnelledRAS(u))
			greeted++
		}
	}
	require.Equal(t, 1, announced)
	require.Equal(t, 1, greeted)
}

// features finds what the messages of a recorded call say about media.
func features(t *testing.T, call string) (list []h460.MediaFeature) {
	t.Helper()
	for _, m := range recorded(t, call) {
		if m.Protocol != "q931" {
			continue
		}
		q, err := q931.Parse(m.Data)
		require.NoError(t, err)
		u, err := h225.FromQ931(q)
		require.NoError(t, err)
		var found *h225.GenericData
		switch b := &u.H323UUPDU.H323MessageBody; {
		case b.Setup != nil:
			found = h460.InSetup(b.Setup, h460.MediaTraversal)
		case b.Connect != nil:
			found = h460.InSet(b.Connect.FeatureSet, h460.MediaTraversal)
		default:
			continue
		}
		if f, ok := h460.ReadMedia(found); ok {
			list = append(list, f)
		}
	}
	return list
}

func TestRecordedFeatures(t *testing.T) {
	// SETUP from the caller and from the gatekeeper, CONNECT from it and from the callee.
	require.ElementsMatch(t, []h460.MediaFeature{
		{Multiplexes: true}, {Server: true}, {Server: true}, {},
	}, features(t, "gk-routed"))
	require.Empty(t, features(t, "gk-direct"))
}

func TestMediaFeature(t *testing.T) {
	for _, f := range []h460.MediaFeature{{}, {Multiplexes: true}, {Server: true}, {Multiplexes: true, Server: true}} {
		data := f.Data()
		got, ok := h460.ReadMedia(h460.InSetup(&h225.Setup{DesiredFeatures: []h225.GenericData{h460.Feature(9), data}}, h460.MediaTraversal))
		require.True(t, ok)
		require.Equal(t, f, got)
	}
	_, ok := h460.ReadMedia(h460.InSet(nil, h460.MediaTraversal))
	require.False(t, ok)
}

// parameters finds those of the channels of a recorded call, and writes each anew.
func parameters(t *testing.T, call string) (found []*h460.TraversalParameters) {
	t.Helper()
	for _, m := range recorded(t, call) {
		if m.Protocol != "q931" {
			continue
		}
		q, err := q931.Parse(m.Data)
		require.NoError(t, err)
		u, err := h225.FromQ931(q)
		require.NoError(t, err)
		for _, control := range u.H323UUPDU.H245Control {
			list, err := h245.Parse(control)
			require.NoError(t, err)
			for _, c := range list {
				generic := channelInformation(c)
				p, err := h460.ReadParameters(generic)
				require.NoError(t, err)
				if p == nil {
					continue
				}
				again, err := p.Message()
				require.NoError(t, err)
				require.Equal(t, generic[0].MessageContent, again.MessageContent)
				found = append(found, p)
			}
		}
	}
	return found
}

func channelInformation(c *h245.MultimediaSystemControlMessage) []h245.GenericMessage {
	switch {
	case c.Request != nil && c.Request.OpenLogicalChannel != nil:
		return c.Request.OpenLogicalChannel.GenericInformation
	case c.Response != nil && c.Response.OpenLogicalChannelAck != nil:
		return c.Response.OpenLogicalChannelAck.GenericInformation
	}
	return nil
}

func TestRecordedParameters(t *testing.T) {
	for _, c := range []struct {
		call                         string
		all, servers, types, ids     int
		keepAlivePort, multiplexPort uint16
	}{
		{call: "gk-routed", all: 4, servers: 2, types: 2, keepAlivePort: 32000},
		{call: "gk-proxy-19", all: 16, servers: 4, types: 4, ids: 16, keepAlivePort: 4000, multiplexPort: 4000},
	} {
		t.Run(c.call, func(t *testing.T) {
			servers, types, ids := 0, 0, 0
			list := parameters(t, c.call)
			for _, p := range list {
				if p.KeepAliveChannel != nil {
					require.Equal(t, c.keepAlivePort, p.KeepAliveChannel.UnicastAddress.IPAddress.TSAPIdentifier)
					require.Equal(t, uint32(19), *p.KeepAliveInterval)
					if p.MultiplexedMediaChannel != nil {
						require.Equal(t, c.multiplexPort, p.MultiplexedMediaChannel.UnicastAddress.IPAddress.TSAPIdentifier)
					}
					servers++
				}
				if p.KeepAlivePayloadType != nil {
					require.Equal(t, uint8(127), *p.KeepAlivePayloadType)
					types++
				}
				if p.MultiplexID != nil {
					ids++
				}
			}
			require.Equal(t, []int{c.all, c.servers, c.types, c.ids}, []int{len(list), servers, types, ids})
		})
	}
}

func TestTunnelledRAS(t *testing.T) {
	const ras = "0e40abcd"
	want, _ := hex.DecodeString(ras)
	message, err := h460.TunnelRAS(want)
	require.NoError(t, err)
	q, err := q931.Parse(message)
	require.NoError(t, err)
	require.Equal(t, q931.Facility, q.Type)
	require.Zero(t, q.Reference.Value)
	u, err := h225.FromQ931(q)
	require.NoError(t, err)
	require.Equal(t, [][]byte{want}, h460.TunnelledRAS(u))
	// Several messages at once, and what is not ours.
	u.H323UUPDU.GenericData = append(u.H323UUPDU.GenericData, u.H323UUPDU.GenericData[0], h460.Feature(17), h460.Feature(9))
	require.Len(t, h460.TunnelledRAS(u), 2)
	_, ok := h460.ReadGreeting(u)
	require.False(t, ok)
}

func TestGreeting(t *testing.T) {
	id := [16]byte{1, 2, 3}
	message, err := h460.Greeting(id)
	require.NoError(t, err)
	q, err := q931.Parse(message)
	require.NoError(t, err)
	require.Zero(t, q.Reference.Value)
	u, err := h225.FromQ931(q)
	require.NoError(t, err)
	require.True(t, u.H323UUPDU.H323MessageBody.Facility.Reason.UndefinedReason, "an RMX 2000 drops others")
	got, ok := h460.ReadGreeting(u)
	require.True(t, ok)
	require.Equal(t, id, got)
	require.Empty(t, h460.TunnelledRAS(u))
}

func TestBadAnnouncements(t *testing.T) {
	good, err := h460.IncomingCall{Address: netip.MustParseAddrPort("[2001:db8::1]:1720"), CallID: [16]byte{9}}.Data()
	require.NoError(t, err)
	got, found, err := h460.ReadIncomingCall(good)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, byte(9), got.CallID[0])
	raw := good[0].Parameters[0].Content.Raw
	for n := range raw {
		bad := h460.Feature(h460.SignallingTraversal, h225.EnumeratedParameter{
			ID: good[0].Parameters[0].ID, Content: &h225.Content{Raw: bytes.Clone(raw[:n])},
		})
		_, found, err := h460.ReadIncomingCall([]h225.GenericData{bad})
		require.ErrorIs(t, err, h460.ErrIndication, "prefix of %d octets", n)
		require.True(t, found)
	}
	for _, list := range [][]h225.GenericData{nil, {h460.Feature(18)}, {h460.Feature(18, h460.Flag(1))}} {
		_, found, err := h460.ReadIncomingCall(list)
		require.NoError(t, err)
		require.False(t, found)
	}
	_, err = h460.IncomingCall{}.Data()
	require.ErrorIs(t, err, h460.ErrIndication)
	nowhere, err := h460.IncomingCall{Address: netip.MustParseAddrPort("0.0.0.0:1720")}.Data()
	require.NoError(t, err)
	_, _, err = h460.ReadIncomingCall(nowhere)
	require.ErrorIs(t, err, h460.ErrIndication)
}

func TestBadParameters(t *testing.T) {
	id := uint32(0xffffffff)
	message, err := (&h460.TraversalParameters{MultiplexID: &id}).Message()
	require.NoError(t, err)
	raw := message.MessageContent[0].ParameterValue.OctetString
	for n := range raw {
		message.MessageContent[0].ParameterValue.OctetString = raw[:n]
		_, err := h460.ReadParameters([]h245.GenericMessage{message})
		require.ErrorIs(t, err, h460.ErrParameters)
	}
	p, err := h460.ReadParameters([]h245.GenericMessage{{MessageIdentifier: message.MessageIdentifier}})
	require.NoError(t, err)
	require.Nil(t, p, "a message without content")
}

func FuzzParameters(f *testing.F) {
	for _, s := range []string{"05fc", "0a007f00000a7d000012", "40007f00000a7d00", ""} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	base, err := new(h460.TraversalParameters).Message()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := base
		m.MessageContent = []h245.GenericParameter{base.MessageContent[0]}
		m.MessageContent[0].ParameterValue.OctetString = raw
		if p, err := h460.ReadParameters([]h245.GenericMessage{m}); err == nil && p != nil {
			// An unknown kind of address without contents is read, but not written.
			if _, err := p.Message(); err != nil && !errors.Is(err, per.ErrConstraint) {
				t.Fatalf("%x does not come back: %v", raw, err)
			}
		}
		data := []h225.GenericData{h460.Feature(h460.SignallingTraversal, h225.EnumeratedParameter{
			ID: h460.Flag(1).ID, Content: &h225.Content{Raw: raw}})}
		if c, found, err := h460.ReadIncomingCall(data); found && err == nil {
			if _, err := c.Data(); err != nil {
				t.Fatalf("%x does not come back: %v", raw, err)
			}
		}
	})
}
