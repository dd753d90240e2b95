package rtpconn

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
)

// host is a far side made by hand: one socket for everything.
type host struct {
	t    testing.TB
	conn *net.UDPConn
	to   *Session
	in   chan []byte
	deaf atomic.Bool // keeps nothing: to count what others allocate
}

// newHost opens a socket at an address of loopback and reads it until the test
// is over.
func newHost(t testing.TB, to *Session, addr string) *host {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), 0)))
	require.NoError(t, err)
	h := &host{t: t, conn: conn, to: to, in: make(chan []byte, 4096)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			if h.deaf.Load() {
				continue
			}
			select {
			case h.in <- append([]byte(nil), buf[:n]...):
			default:
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return h
}

func (h *host) addr() netip.AddrPort { return h.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// raw sends a datagram to the RTP port.
func (h *host) raw(b []byte) {
	h.t.Helper()
	_, err := h.conn.WriteToUDPAddrPort(b, h.to.LocalRTP())
	require.NoError(h.t, err)
}

func (h *host) rtp(pt uint8, ssrc uint32, seq uint16, stamp uint32, payload []byte) {
	h.t.Helper()
	b, err := (&rtp.Packet{Header: rtp.Header{
		Version: 2, PayloadType: pt, SSRC: ssrc, SequenceNumber: seq, Timestamp: stamp,
	}, Payload: payload}).Marshal()
	require.NoError(h.t, err)
	h.raw(b)
}

func (h *host) rtcp(packets ...rtcp.Packet) {
	h.t.Helper()
	b, err := rtcp.Marshal(packets)
	require.NoError(h.t, err)
	h.raw(b)
}

// nextRTP waits for a media packet.
func (h *host) nextRTP() *rtp.Packet {
	h.t.Helper()
	for {
		b := receive(h.t, h.in, "rtp")
		if len(b) >= 12 && (b[1] < 192 || b[1] > 223) {
			var p rtp.Packet
			require.NoError(h.t, p.Unmarshal(b))
			return &p
		}
	}
}

// nextRTCP waits for a compound packet that holds a P.
func nextRTCP[P rtcp.Packet](h *host) P {
	h.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case b := <-h.in:
			if len(b) < 8 || b[1] < 192 || b[1] > 223 {
				continue
			}
			all, err := rtcp.Unmarshal(b)
			require.NoError(h.t, err)
			require.NoError(h.t, rtcp.CompoundPacket(all).Validate())
			for _, p := range all {
				if found, ok := p.(P); ok {
					return found
				}
			}
		case <-deadline:
			h.t.Fatalf("no %T", *new(P))
		}
	}
}

// params are audioParams towards the host, with RTCP on the same port.
func (h *host) params(base func(*Session) Params) Params {
	p := base(h.to)
	p.Remote, p.Mux = h.addr(), true
	return p
}
