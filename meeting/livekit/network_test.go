package livekit

import (
	"net"
	"testing"

	"github.com/pion/webrtc/v3"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media/udp"
)

// What an ICE agent leaves open is closed with its connection, and nothing is opened later.
func TestNetworkClosesWhatIsLeftOpen(t *testing.T) {
	readers, err := udp.NewReaders()
	require.NoError(t, err)
	defer func() { require.NoError(t, readers.Close()) }()
	for name, nets := range map[string]*networks{"sockets read together": {readers: readers}, "sockets of the system": {}} {
		t.Run(name, func(t *testing.T) {
			n, err := nets.network()
			require.NoError(t, err)
			loopback := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}
			closed, err := n.ListenUDP("udp4", loopback)
			require.NoError(t, err)
			left, err := n.ListenUDP("udp4", loopback)
			require.NoError(t, err)
			require.NoError(t, closed.Close())
			n.close()
			require.ErrorIs(t, left.Close(), net.ErrClosed)
			at := left.LocalAddr().(*net.UDPAddr)
			again, err := net.ListenUDP("udp4", at)
			require.NoError(t, err, "its port is free")
			require.NoError(t, again.Close())
			_, err = n.ListenUDP("udp4", loopback)
			require.ErrorIs(t, err, net.ErrClosed)
		})
	}
}

// However soon after it begins to gather a connection is closed, no socket is left.
func TestClosedWhileGathering(t *testing.T) {
	nets := &networks{}
	for range 50 {
		n, err := nets.network()
		require.NoError(t, err)
		var settings webrtc.SettingEngine
		settings.LoggerFactory = silentLoggers{}
		settings.SetIncludeLoopbackCandidate(true)
		settings.SetNet(n)
		pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
		require.NoError(t, err)
		_, err = pc.CreateDataChannel("", nil)
		require.NoError(t, err)
		offer, err := pc.CreateOffer(nil)
		require.NoError(t, err)
		require.NoError(t, pc.SetLocalDescription(offer))
		(&connection{pc: pc, network: n}).close()
		n.mu.Lock()
		open := len(n.bound)
		n.mu.Unlock()
		require.Zero(t, open)
	}
}
