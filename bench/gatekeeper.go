package bench

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	names "github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
)

// zone is H.323 terminals that register with the gateway: many to an address, since
// it is addresses that the gateway limits.
type zone struct {
	addresses []*zoneAddress
	answered  atomic.Uint64
}

// zoneAddress is a socket with the terminals behind it.
type zoneAddress struct {
	conn      *net.UDPConn
	at        netip.AddrPort
	terminals []*zoneTerminal
	number    uint16
	buffer    [2048]byte
}

type zoneTerminal struct {
	name int
	id   string // endpointIdentifier
}

const zoneAddresses = 128

func newZone(gateway netip.AddrPort, terminals int) (*zone, error) {
	z := &zone{}
	for i := range zoneAddresses {
		local := netip.AddrFrom4([4]byte{127, 1, byte(i / 250), byte(1 + i%250)})
		conn, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0)), net.UDPAddrFromAddrPort(gateway))
		if err != nil {
			z.close()
			return nil, err
		}
		z.addresses = append(z.addresses, &zoneAddress{conn: conn, at: conn.LocalAddr().(*net.UDPAddr).AddrPort()})
	}
	for i := range terminals {
		a := z.addresses[i%zoneAddresses]
		a.terminals = append(a.terminals, &zoneTerminal{name: i})
	}
	return z, nil
}

func (z *zone) close() {
	for _, a := range z.addresses {
		_ = a.conn.Close()
	}
}

// each runs a step for the terminals of every address, all addresses at once, until one
// fails or ctx ends.
func (z *zone) each(ctx context.Context, step func(*zoneAddress, *zoneTerminal) error) error {
	var wait sync.WaitGroup
	var first atomic.Pointer[error]
	for _, a := range z.addresses {
		wait.Go(func() {
			for _, t := range a.terminals {
				if ctx.Err() != nil || first.Load() != nil {
					return
				}
				if err := step(a, t); err != nil {
					first.CompareAndSwap(nil, &err)
					return
				}
				z.answered.Add(1)
			}
		})
	}
	wait.Wait()
	if err := first.Load(); err != nil {
		return *err
	}
	return nil
}

// register sends a whole registration and waits for the answer.
func (a *zoneAddress) register(t *zoneTerminal) error {
	no := false
	signalling := netip.AddrPortFrom(a.at.Addr(), uint16(1024+t.name%60000))
	m, err := a.ask(&h225.RegistrationRequest{
		ProtocolIdentifier: h225.ProtocolIdentifier, KeepAlive: &no,
		CallSignalAddress: []h225.TransportAddress{*names.Transport(signalling)}, RASAddress: []h225.TransportAddress{*names.Transport(a.at)},
		TerminalType:   h225.EndpointType{Terminal: &h225.TerminalInfo{}},
		TerminalAlias:  []h225.AliasAddress{names.ID(fmt.Sprintf("Meeting room %d", t.name)), names.Of(fmt.Sprint(1000000 + t.name))},
		EndpointVendor: h225.VendorIdentifier{ProductID: []byte("bench"), VersionID: []byte("1")},
	})
	if err == nil {
		t.id = m.EndpointIdentifier
	}
	return err
}

// keepAlive refreshes the registration.
func (a *zoneAddress) keepAlive(t *zoneTerminal) error {
	yes := true
	_, err := a.ask(&h225.RegistrationRequest{
		ProtocolIdentifier: h225.ProtocolIdentifier, KeepAlive: &yes, EndpointIdentifier: &t.id,
		CallSignalAddress: []h225.TransportAddress{}, RASAddress: []h225.TransportAddress{*names.Transport(a.at)},
	})
	return err
}

func (a *zoneAddress) ask(q *h225.RegistrationRequest) (*h225.RegistrationConfirm, error) {
	a.number = max(a.number+1, 1)
	q.RequestSeqNum = a.number
	pdu, err := (&h225.RASMessage{RegistrationRequest: q}).Marshal()
	if err != nil {
		return nil, err
	}
	if _, err := a.conn.Write(pdu); err != nil {
		return nil, err
	}
	if err := a.conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, err
	}
	n, err := a.conn.Read(a.buffer[:])
	if err != nil {
		return nil, err
	}
	m, err := h225.ParseRAS(a.buffer[:n])
	if err != nil {
		return nil, err
	}
	if m.RegistrationConfirm == nil {
		return nil, fmt.Errorf("not registered: %s %s", ras.KindOf(m), ras.Reason(m))
	}
	return m.RegistrationConfirm, nil
}

// gatekeeper is H.323 registrations as fast as one core goes, and then the cost of many
// registered terminals.
func (r *run) gatekeeper(ctx context.Context) error {
	const terminals, lifetime = 10000, 60 // seconds
	st, err := r.newStage(ctx, setup{h323: true, env: []string{"GOMAXPROCS=1"}}, 1)
	if err != nil {
		return err
	}
	defer st.close()
	before, _, err := st.gateway.self.memory()
	if err != nil {
		return err
	}
	z, err := newZone(st.gateway.ras, terminals)
	if err != nil {
		return err
	}
	defer z.close()
	if err := r.zoneRate(ctx, st, z); err != nil {
		return err
	}
	return r.zoneCost(ctx, st, z, before, terminals/lifetime)
}

// zoneRate registers all terminals, again and again.
func (r *run) zoneRate(ctx context.Context, st *stage, z *zone) error {
	m, err := watch(st.gateway)
	if err != nil {
		return err
	}
	for time.Since(m.began) < r.window() {
		if err := z.each(ctx, (*zoneAddress).register); err != nil {
			return err
		}
	}
	u, err := m.read()
	if err != nil {
		return err
	}
	rate := float64(z.answered.Load()) / u.lasted.Seconds()
	r.add(Figure{Scenario: "gatekeeper", Name: "RRQs a second and core", Value: rate / u.gateway, Unit: "1/s", Target: 3000, AtLeast: true,
		Note: fmt.Sprintf("%.0f a second with %.2f cores; full registrations, no passwords; load %.2f cores", rate, u.gateway, u.load)})
	return nil
}

// zoneCost is the processor time and the memory of terminals that stay registered.
func (r *run) zoneCost(ctx context.Context, st *stage, z *zone, before int64, rate int) error {
	m, err := watch(st.gateway)
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	sent := 0
	for ; time.Since(m.began) < r.window(); sent++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		a := z.addresses[sent%zoneAddresses]
		if err := a.keepAlive(a.terminals[sent/zoneAddresses%len(a.terminals)]); err != nil {
			return err
		}
	}
	u, err := m.read()
	if err != nil {
		return err
	}
	rss, _, err := st.gateway.self.memory()
	if err != nil {
		return err
	}
	r.add(Figure{Scenario: "gatekeeper", Name: "10,000 terminals, keep-alive of 60 s", Value: 100 * u.gateway, Unit: "% of a core", Target: 10,
		Note: fmt.Sprintf("%.0f keep-alives a second", float64(sent)/u.lasted.Seconds())})
	r.add(Figure{Scenario: "gatekeeper", Name: "memory of 10,000 terminals", Value: float64(rss-before) / (1 << 20), Unit: "MB", Target: 150,
		Note: fmt.Sprintf("%d MB in all", rss>>20)})
	return nil
}
