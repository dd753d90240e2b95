package h460_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/control"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/h460"
	"github.com/roomgate/roomgate/media"
)

var (
	serverRTP  = netip.MustParseAddrPort("192.0.2.1:2776")
	serverRTCP = netip.MustParseAddrPort("192.0.2.1:2777")
)

func at(l h460.Local) func(media.Role) (h460.Local, error) {
	return func(media.Role) (h460.Local, error) { return l, nil }
}

func multiplexID(id uint32) *uint32 { return &id }

// pass sends messages through their encoding.
func pass(t *testing.T, list []h245.GenericMessage) []h245.GenericMessage {
	t.Helper()
	o := &h245.MultimediaSystemControlMessage{Request: &h245.RequestMessage{OpenLogicalChannel: &h245.OpenLogicalChannel{
		ForwardLogicalChannelNumber: 1, GenericInformation: list,
		ForwardLogicalChannelParameters: h245.ForwardLogicalChannelParameters{
			DataType:            h245.DataType{NullData: true},
			MultiplexParameters: h245.ForwardMultiplexParameters{None: true},
		},
	}}}
	data, err := o.Marshal()
	require.NoError(t, err)
	got, err := h245.Parse(data)
	require.NoError(t, err)
	return got[0].Request.OpenLogicalChannel.GenericInformation
}

// exchange opens a channel from one to the other.
func exchange(t *testing.T, from, to *h460.Media, role media.Role) {
	t.Helper()
	c := control.Channel{Number: 101, Role: role, Session: 1, PayloadType: 96}
	offer := pass(t, from.Offer(c))
	from.Acknowledged(c, pass(t, to.Answer(c, offer)))
}

func TestServerAndClient(t *testing.T) {
	for _, multiplex := range []bool{false, true} {
		local := h460.Local{RTP: serverRTP, RTCP: serverRTCP}
		if multiplex {
			local.MultiplexID = multiplexID(0x40000007)
		}
		server := h460.NewMedia(true, at(local))
		client := h460.NewMedia(false, at(h460.Local{
			RTP: netip.MustParseAddrPort("10.0.0.2:5000"), RTCP: netip.MustParseAddrPort("10.0.0.2:5001")}))
		server.Enable(h460.MediaFeature{Multiplexes: true})
		client.Enable(h460.MediaFeature{Server: true})
		require.True(t, server.Serves())
		require.True(t, server.Multiplexes())
		require.True(t, client.Enabled())
		require.False(t, client.Serves())

		exchange(t, server, client, media.Audio)
		r := client.Remote(media.Audio)
		require.Equal(t, serverRTP, r.KeepAlive)
		require.Equal(t, 19*time.Second, r.Interval)
		require.Equal(t, uint8(126), r.PayloadType)
		exchange(t, client, server, media.Audio)
		r = client.Remote(media.Audio)
		require.Equal(t, local.MultiplexID, r.SendID)
		if multiplex {
			require.Equal(t, serverRTP, r.RTP)
			require.Equal(t, serverRTCP, r.RTCP)
		} else {
			require.False(t, r.RTP.IsValid())
		}
		// A client's addresses are behind its firewall: media goes to where it comes from.
		r = server.Remote(media.Audio)
		require.Nil(t, r.SendID)
		require.False(t, r.KeepAlive.IsValid() || r.RTP.IsValid())
		require.Equal(t, h460.Remote{}, client.Remote(media.Main), "roles are kept apart")
	}
}

// A client that wants identifiers before what it is sent.
func TestClientMultiplexes(t *testing.T) {
	server := h460.NewMedia(true, at(h460.Local{RTP: serverRTP, RTCP: serverRTCP}))
	client := h460.NewMedia(false, at(h460.Local{
		RTP: netip.MustParseAddrPort("10.0.0.2:5000"), RTCP: netip.MustParseAddrPort("10.0.0.2:5001"), MultiplexID: multiplexID(5)}))
	server.Enable(h460.MediaFeature{})
	client.Enable(h460.MediaFeature{Server: true, Multiplexes: true})
	exchange(t, server, client, media.Main)
	r := server.Remote(media.Main)
	require.Equal(t, uint32(5), *r.SendID)
	require.False(t, r.RTP.IsValid())
}

func TestNothingWithoutAgreement(t *testing.T) {
	for _, server := range []bool{true, false} {
		m := h460.NewMedia(server, at(h460.Local{RTP: serverRTP, MultiplexID: multiplexID(1)}))
		for range 2 {
			require.Nil(t, m.Offer(control.Channel{}))
			require.Nil(t, m.Answer(control.Channel{}, nil))
			m.Acknowledged(control.Channel{}, nil)
			m.Enable(h460.MediaFeature{Server: server}) // two of a kind
			require.False(t, m.Enabled() || m.Serves() || m.Multiplexes())
		}
	}
	m := h460.NewMedia(true, func(media.Role) (h460.Local, error) { return h460.Local{}, errors.New("no port") })
	m.Enable(h460.MediaFeature{})
	require.Nil(t, m.Offer(control.Channel{}))
	require.Nil(t, m.Answer(control.Channel{}, nil))
}

// A VCS wants the payload type of keep-alives to differ from that of encrypted media.
func TestKeepAliveTypeAvoidsMedia(t *testing.T) {
	client := h460.NewMedia(false, at(h460.Local{RTP: netip.MustParseAddrPort("10.0.0.2:5000")}))
	client.Enable(h460.MediaFeature{Server: true})
	p, err := h460.ReadParameters(client.Answer(control.Channel{PayloadType: 126}, nil))
	require.NoError(t, err)
	require.Equal(t, uint8(125), *p.KeepAlivePayloadType)
	require.Equal(t, uint8(125), client.Remote(media.Audio).PayloadType)
}

// Parameters that cannot be read do no harm.
func TestGarbageParameters(t *testing.T) {
	client := h460.NewMedia(false, at(h460.Local{}))
	client.Enable(h460.MediaFeature{Server: true})
	message, err := new(h460.TraversalParameters).Message()
	require.NoError(t, err)
	message.MessageContent[0].ParameterValue.OctetString = []byte{0x7f}
	require.NotNil(t, client.Answer(control.Channel{}, []h245.GenericMessage{message}))
	r := client.Remote(media.Audio)
	require.False(t, r.KeepAlive.IsValid())
}
