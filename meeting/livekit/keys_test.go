package livekit

import (
	"bytes"
	"context"
	"net"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// overheard is a socket whose incoming datagrams are shown to somebody.
type overheard struct {
	net.PacketConn
	see func([]byte)
}

func (o overheard) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := o.PacketConn.ReadFrom(b)
	o.see(b[:n])
	return n, from, err
}

// keyLog keeps what is written to it.
type keyLog struct{ text []byte }

func (l *keyLog) Write(b []byte) (int, error) {
	l.text = append(l.text, b...)
	return len(b), nil
}

// shake has a client and a server of DTLS agree on keys of SRTP. It returns what the client
// heard, what its key log says, and the server's side of it.
func shake(t *testing.T, suite dtls.CipherSuiteID, profile dtls.SRTPProtectionProfile) (h *handshakes, log []byte, server *dtls.Conn) {
	certificate, err := selfsign.GenerateSelfSigned()
	require.NoError(t, err)
	suites, profiles := dtls.WithCipherSuites(suite), dtls.WithSRTPProtectionProfiles(profile)
	var sockets [2]net.PacketConn
	for i := range sockets {
		sockets[i], err = net.ListenPacket("udp4", "127.0.0.1:0")
		require.NoError(t, err)
	}
	h = &handshakes{}
	var keys keyLog
	client, err := dtls.ClientWithOptions(overheard{sockets[0], h.see}, sockets[1].LocalAddr(), suites, profiles,
		dtls.WithInsecureSkipVerify(true), dtls.WithKeyLogWriter(&keys))
	require.NoError(t, err)
	server, err = dtls.ServerWithOptions(sockets[1], sockets[0].LocalAddr(), suites, profiles, dtls.WithCertificates(certificate))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var both errgroup.Group
	both.Go(func() error { return client.HandshakeContext(ctx) })
	both.Go(func() error { return server.HandshakeContext(ctx) })
	require.NoError(t, both.Wait())
	require.NoError(t, client.Close())
	require.NoError(t, server.Close())
	return h, keys.text, server
}

// The client learns the keys that the server encrypts with (RFC 5764 §4.2).
func TestKeysOfTheServer(t *testing.T) {
	for _, suite := range []dtls.CipherSuiteID{
		dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		dtls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
	} {
		for _, profile := range []dtls.SRTPProtectionProfile{
			dtls.SRTP_AES128_CM_HMAC_SHA1_80, dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM,
		} {
			h, log, server := shake(t, suite, profile)
			state, ok := server.ConnectionState()
			require.True(t, ok)
			config := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
			require.NoError(t, config.ExtractSessionKeysFromDTLS(&state, false))
			sends, err := srtp.CreateContext(config.Keys.LocalMasterKey, config.Keys.LocalMasterSalt, config.Profile)
			require.NoError(t, err)
			plain, err := (&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 5}, Payload: []byte("sound")}).Marshal()
			require.NoError(t, err)
			wire, err := sends.EncryptRTP(nil, plain, nil)
			require.NoError(t, err)

			receives := h.context(log)
			require.NotNil(t, receives, suite)
			got, err := receives.DecryptRTP(nil, wire, nil)
			require.NoError(t, err, suite)
			require.Equal(t, plain, got)
		}
	}
}

// Where something is missing or not understood there are no keys, and the long way is taken.
func TestKeysThatAreNotLearned(t *testing.T) {
	h, log, _ := shake(t, dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	require.NotNil(t, h.context(log))
	require.Nil(t, (&handshakes{}).context(log), "no hello was seen")
	for _, text := range []string{"", "CLIENT_RANDOM", "CLIENT_RANDOM 00 zz", "CLIENT_RANDOM zz 00", "EXPORTER_SECRET 00 00", "CLIENT_RANDOM 00 00 00"} {
		require.Nil(t, h.context([]byte(text)), text)
	}
	h.hello.Extensions = nil
	require.Nil(t, h.context(log), "no profile was agreed on")
}

// What comes in before anything is known of who sent it harms nothing.
func FuzzShortcut(f *testing.F) {
	f.Add([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add(append([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 53, 2, 0, 0, 41, 0, 0, 0, 0, 0, 0, 0, 41, 254, 253}, make([]byte, 39)...))
	f.Add(append([]byte{0x80, 111}, make([]byte, 60)...))
	f.Add([]byte{0x90, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 5, 0xbe, 0xde, 0xff, 0xff, 0})
	f.Add([]byte{0xbf, 255, 0, 1, 0, 0, 0, 1, 0, 0, 0, 5, 0xbe})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := newShortcut()
		if c.take(b) {
			t.Fatal("taken, though no stream is open")
		}
		context, err := srtp.CreateContext(make([]byte, 16), make([]byte, 14), srtp.ProtectionProfileAes128CmHmacSha1_80)
		if err != nil {
			t.Fatal(err)
		}
		c.context = context
		track := &remoteTrack{ssrc: 5, done: make(chan struct{})}
		c.open(track, 0)
		_ = c.take(b)
		track.deliver(bytes.Clone(b), time.Now())
	})
}
