package link

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/roomgate/roomgate/sip/bfcp"
)

// readDatagrams hands datagrams to run until the socket closes.
func (l *Link) readDatagrams() {
	defer l.wait.Done()
	buffer := make([]byte, 64*1024)
	for {
		n, from, err := l.pair.RTP.ReadFromUDPAddrPort(buffer)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // of an ICMP message: nobody listens there yet
			select {
			case <-l.done:
				return
			default:
				continue
			}
		}
		data := slices.Clone(buffer[:n])
		select {
		case l.ops <- func() { l.datagram(from, data) }:
		case <-l.done:
			return
		default:
			l.dropped.Add(1) // it is repeated
		}
	}
}

// datagram takes one of whom SDP named. Where a translator stands between, its
// source is where answers go.
func (l *Link) datagram(from netip.AddrPort, data []byte) {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	if from.Addr() != l.params.Remote.Addr().Unmap() && !slices.Contains(l.params.Trusted, from.Addr()) {
		l.dropped.Add(1)
		return
	}
	whole := l.parts.Add(time.Now(), data)
	if whole == nil {
		return
	}
	l.remote = from
	l.hear(from, whole)
}

func (l *Link) sendDatagram(m *bfcp.Message, data []byte) error {
	if !l.remote.IsValid() || l.remote.Port() == 0 {
		return nil
	}
	if l.cfg.Tap != nil {
		l.cfg.Tap(false, l.remote, data)
	}
	parts := [][]byte{data}
	if m.Version == 2 {
		parts = bfcp.Fragments(data, bfcp.MTU)
	}
	for _, part := range parts {
		if _, err := l.pair.RTP.WriteToUDPAddrPort(part, l.remote); err != nil {
			return err
		}
	}
	return nil
}
