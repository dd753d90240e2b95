package gatekeeper

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/internal/golden"
	"github.com/roomgate/roomgate/h323/ras"
)

// FuzzReceive gives a gatekeeper in use two datagrams of a stranger, and time to act on
// them. It stays consistent, serves its terminals, and sends no more than it should.
func FuzzReceive(f *testing.F) {
	calls, err := golden.Load("../../../testdata/h323/captures")
	require.NoError(f, err)
	var before []byte
	for _, name := range []string{"gk-routed", "gk-neighbours", "gk-proxy-19"} {
		for _, m := range calls[name] {
			if m.Protocol == "ras" {
				f.Add(before, m.Data)
				before = m.Data
			}
		}
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		z := newZone(t, func(c *Config) {
			withNeighbours(c)
			c.Traversal, c.Settings.Accounts = true, roomAccount
		})
		d := newDevice("198.51.100.7", "first")
		z.register(d)
		require.Equal(t, "ACF", outcome(z.admit(d, d.arq(1, "demo"))))
		z.take()
		stranger := ras.Path{Remote: netip.MustParseAddrPort("203.0.113.1:1719")} // a neighbour, even
		for _, pdu := range [][]byte{first, second} {
			z.g.Receive(stranger, pdu)
			z.g.Receive(stranger, pdu)
		}
		z.pass(8 * time.Second)
		require.LessOrEqual(t, len(z.take()), 60)
		consistent(t, z.g)
		if r, ok := z.g.Lookup("first"); ok && r.ID == d.id {
			require.Equal(t, "RCF", outcome(z.ask(d.ras, d.keepAlive())))
		}
	})
}

// consistent checks the indexes of a gatekeeper against each other.
func consistent(t *testing.T, g *Gatekeeper) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for key, e := range g.table.byAlias {
		require.Same(t, e, g.table.byID[e.ID])
		require.Contains(t, e.keys, key)
	}
	for id, e := range g.table.byID {
		require.Equal(t, id, e.ID)
		for _, key := range e.keys {
			require.Same(t, e, g.table.byAlias[key])
		}
	}
	for account, list := range g.table.byAccount {
		for _, e := range list {
			require.Equal(t, account, e.Account)
		}
	}
	for _, e := range g.table.byPlace {
		require.Same(t, e, g.table.byID[e.ID])
	}
	used, parts := uint64(0), 0
	for id, call := range g.calls.byID {
		require.NotEmpty(t, call.admissions)
		require.Equal(t, id, call.id)
		for endpoint, a := range call.admissions {
			require.NotNil(t, g.table.byID[endpoint])
			require.Same(t, a, g.calls.find(id, endpoint))
			parts++
		}
		used += call.bandwidth
	}
	require.Equal(t, used, g.calls.used)
	for _, list := range g.calls.parts {
		require.NotEmpty(t, list)
		parts -= len(list)
	}
	require.Zero(t, parts)
}

// FuzzTable registers, changes and removes by a script.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7})
	f.Add([]byte{0x10, 0x11, 0x12, 0x80, 0x90, 0xa1, 0x05, 0x15})
	f.Fuzz(func(t *testing.T, script []byte) {
		z := newZone(t, nil)
		names := []string{"a", "b", "c", "1", "2", "12"}
		for _, step := range script[:min(len(script), 64)] {
			host := netip.AddrFrom4([4]byte{198, 51, 100, 1 + step&3})
			d := newDevice(host.String(), names[int(step>>2&3)%len(names)], names[int(step>>4)%len(names)])
			switch step >> 6 {
			case 0, 1:
				z.from(d.ras, &h225.RASMessage{RegistrationRequest: d.rrq()})
			case 2:
				for _, r := range z.g.Registrations() {
					z.from(d.ras, &h225.RASMessage{UnregistrationRequest: &h225.UnregistrationRequest{EndpointIdentifier: &r.ID}})
					break
				}
			default:
				z.pass(20 * time.Second)
			}
			consistent(t, z.g)
		}
	})
}
