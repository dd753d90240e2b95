package rtpconn

import (
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

// counter is a writer that keeps nothing.
type counter struct{ n int }

func (c *counter) WriteRTP(*rtp.Packet) error {
	c.n++
	return nil
}

// received is a receiving session and packets for it, made ahead and protected as
// agreed.
func received(t testing.TB, n int, suite secure.Suite) (*Session, [][]byte, *counter) {
	t.Helper()
	s, _ := open(t)
	h := newHost(t, s, "127.0.0.1")
	p := h.params(audioParams)
	var out *secure.Outbound
	if suite != "" {
		k := newKey(t, suite)
		p.Security = Security{Send: &k, Receive: &k}
		var err error
		out, err = secure.NewOutbound(k)
		require.NoError(t, err)
	}
	require.NoError(t, s.Apply(p))
	wires := make([][]byte, n)
	for i := range wires {
		b, err := (&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 5, SequenceNumber: uint16(i), Timestamp: uint32(i) * 160},
			Payload: make([]byte, 160)}).Marshal()
		require.NoError(t, err)
		if out != nil {
			b, err = out.RTP(append(make([]byte, 0, 400), b...), new(rtp.Header))
			require.NoError(t, err)
		}
		wires[i] = b
	}
	s.receive(wires[0], h.addr())
	c := new(counter)
	receive(t, s.Tracks(), "a track").Attach(c)
	return s, wires[1:], c
}

func TestReceivingDoesNotAllocate(t *testing.T) {
	for _, tc := range []struct {
		suite secure.Suite
		most  float64 // the SRTP library's own, per packet
	}{{"", 0}, {secure.AES128CM80, 1}, {secure.AES256GCM, 1}} {
		t.Run("suite "+string(tc.suite), func(t *testing.T) {
			const runs = 2000
			s, wires, c := received(t, runs+10, tc.suite)
			from, i := s.route.to.Load().rtp, 0
			got := testing.AllocsPerRun(runs, func() {
				s.receive(wires[i], from)
				i++
			})
			require.Equal(t, runs+1, c.n, "every packet was handed on")
			require.LessOrEqual(t, got, tc.most)
		})
	}
}

func TestSendingDoesNotAllocate(t *testing.T) {
	for _, suite := range []secure.Suite{"", secure.AES128CM80, secure.AES256GCM} {
		for _, nack := range []bool{false, true} {
			t.Run("suite "+string(suite), func(t *testing.T) {
				s, _ := open(t)
				h := newHost(t, s, "127.0.0.1")
				p := h.params(audioParams)
				p.Feedback.NACK = nack
				if suite != "" {
					k := newKey(t, suite)
					p.Security = Security{Send: &k, Receive: &k}
				}
				require.NoError(t, s.Apply(p))
				h.deaf.Store(true)
				f := newFeed(pcmu)
				_, err := s.Publish(t.Context(), f)
				require.NoError(t, err)
				packet := &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: make([]byte, 160)}
				send := func() {
					packet.SequenceNumber++
					packet.Timestamp += 160
					f.out.write(packet)
				}
				for range 600 { // the room for what may be sent again
					send()
				}
				before := s.Stats()[1].Packets
				most := 0.0
				if raceEnabled && suite != "" {
					most = 1 // the SRTP library pools its buffers
				}
				require.LessOrEqual(t, allocs(1000, send), most)
				require.GreaterOrEqual(t, s.Stats()[1].Packets, before+1001)
			})
		}
	}
}

// allocs is testing.AllocsPerRun, tried again when another goroutine of the
// process has allocated meanwhile: what f itself allocates is there every time.
func allocs(runs int, f func()) (least float64) {
	for i := range 5 {
		n := testing.AllocsPerRun(runs, f)
		if i == 0 || n < least {
			least = n
		}
		if least == 0 {
			break
		}
	}
	return least
}

var _ media.Writer = (*counter)(nil)
