package secure

import (
	"encoding/hex"
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func TestKeySizes(t *testing.T) {
	want := map[Suite]int{AES128CM80: 30, AES128CM32: 30, AES256CM80: 46, AES256CM32: 46, AES128GCM: 28, AES256GCM: 44}
	require.Len(t, Suites(), len(want))
	for _, s := range Suites() {
		require.Equal(t, want[s], s.KeySize(), s)
		k, err := NewKey(s)
		require.NoError(t, err)
		require.NoError(t, k.Validate())
		other, err := NewKey(s)
		require.NoError(t, err)
		require.False(t, k.Equal(other), "keys are drawn at random")
		require.True(t, k.Equal(k))
		require.NotContains(t, k.String()+k.GoString(), hex.EncodeToString(k.Master))
		short := k
		short.Master = k.Master[1:]
		require.Error(t, short.Validate())
	}
	_, err := NewKey("F8_128_HMAC_SHA1_80")
	require.ErrorIs(t, err, ErrUnknownSuite)
}

// packet is RTP with the header fields a test needs and no payload but data.
func packet(t *testing.T, ssrc uint32, seq uint16, data string) []byte {
	t.Helper()
	p := rtp.Packet{Header: rtp.Header{Version: 2, SSRC: ssrc, SequenceNumber: seq}, Payload: []byte(data)}
	b, err := p.Marshal()
	require.NoError(t, err)
	return append(make([]byte, 0, len(b)+160), b...)
}

func pairOf(t *testing.T, k Key) (*Outbound, *Inbound) {
	t.Helper()
	out, err := NewOutbound(k)
	require.NoError(t, err)
	in, err := NewInbound(k)
	require.NoError(t, err)
	return out, in
}

func TestSuitesBothWays(t *testing.T) {
	for _, suite := range Suites() {
		for _, mki := range [][]byte{nil, {1}, {0, 0, 0, 9}} {
			k, err := NewKey(suite)
			require.NoError(t, err)
			k.MKI = mki
			out, in := pairOf(t, k)
			var h rtp.Header
			// 70,000 packets go through the wrap of the sequence number.
			for i := range 140 {
				seq := uint16(65536 - 70 + i)
				plain := packet(t, 7, seq, "hello")
				wire, err := out.RTP(append(make([]byte, 0, 300), plain...), &h)
				require.NoError(t, err)
				require.NotContains(t, string(wire), "hello")
				got, err := in.RTP(make([]byte, 0, 300), wire, &h)
				require.NoError(t, err, "%s, packet %d", suite, i)
				require.Equal(t, plain, got)
				_, err = in.RTP(make([]byte, 0, 300), wire, &h)
				require.Error(t, err, "a replay")
			}
			tampered, err := out.RTP(packet(t, 7, 100, "hello"), &h)
			require.NoError(t, err)
			tampered[12] ^= 1
			_, err = in.RTP(make([]byte, 0, 300), tampered, &h)
			require.Error(t, err)
			for n := range tampered {
				_, err := in.RTP(make([]byte, 0, 300), tampered[:n], &h)
				require.Error(t, err, "prefix of %d octets", n)
			}
		}
	}
}

func TestRTCPBothWays(t *testing.T) {
	report := unhex(t, "80c90001cafebabe"+"81ca0004cafebabe01066e6f626f64790000000000"[:40])
	for _, suite := range Suites() {
		k, err := NewKey(suite)
		require.NoError(t, err)
		out, in := pairOf(t, k)
		wire, err := out.RTCP(append(make([]byte, 0, 200), report...))
		require.NoError(t, err)
		got, err := in.RTCP(make([]byte, 0, 200), wire)
		require.NoError(t, err)
		require.Equal(t, report, got)
		_, err = in.RTCP(make([]byte, 0, 200), wire)
		require.Error(t, err, "a replay")
		wire[len(wire)-1] ^= 1
		_, err = in.RTCP(make([]byte, 0, 200), wire)
		require.Error(t, err)
	}
}

func TestSourcesAreBounded(t *testing.T) {
	k, err := NewKey(AES128CM80)
	require.NoError(t, err)
	out, in := pairOf(t, k)
	var h rtp.Header
	for ssrc := range uint32(maxSources) {
		wire, err := out.RTP(packet(t, ssrc, 1, "x"), &h)
		require.NoError(t, err)
		_, err = in.RTP(make([]byte, 0, 200), wire, &h)
		require.NoError(t, err)
	}
	wire, err := out.RTP(packet(t, maxSources, 1, "x"), &h)
	require.NoError(t, err)
	_, err = in.RTP(make([]byte, 0, 200), wire, &h)
	require.ErrorIs(t, err, ErrTooManySources)
}
