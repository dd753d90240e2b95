package gatekeeper

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/ras"
)

// terminals makes devices of different addresses.
func terminals(n int) []*device {
	list := make([]*device, n)
	for i := range list {
		host := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		list[i] = newDevice(host.String(), fmt.Sprintf("Meeting room %d", i), fmt.Sprint(1000000+i))
	}
	return list
}

// benchZone is a gatekeeper that sends into the void.
func benchZone(b testing.TB, change func(*Config)) (g *Gatekeeper, sent *int) {
	b.Helper()
	sent = new(int)
	c := Config{
		ID:         "gk",
		Signalling: func(netip.Addr) netip.AddrPort { return ourSignalling },
		RAS:        func(netip.Addr) netip.AddrPort { return ourRAS },
		Send:       func(ras.Path, []byte) { *sent++ },
		Settings:   Settings{MaxRegistrations: 1 << 20},
	}
	if change != nil {
		change(&c)
	}
	g, err := New(c)
	require.NoError(b, err)
	return g, sent
}

// BenchmarkRegister: full registrations a second of one core, target 3,000.
func BenchmarkRegister(b *testing.B) {
	for _, method := range []auth.Method{0, auth.Baseline, auth.Password} {
		name := "open"
		if method != 0 {
			name = method.String()
		}
		b.Run(name, func(b *testing.B) {
			devices := terminals(1000)
			var accounts []Account
			for i := range devices {
				accounts = append(accounts, Account{Username: fmt.Sprint(1000000 + i), Password: "s3cret", Aliases: []string{fmt.Sprintf("Meeting room %d", i)}})
			}
			g, sent := benchZone(b, func(c *Config) {
				if method != 0 {
					c.Settings.Mode, c.Settings.Accounts = OnlyAccounts, NewList(accounts)
				}
			})
			signer := auth.NewSigner(nil)
			pdus := make([][]byte, b.N)
			for i := range pdus {
				d := devices[i%len(devices)]
				q := &h225.RASMessage{RegistrationRequest: d.rrq()}
				ras.SetNumber(q, uint16(i/len(devices)+1))
				var err error
				if method == 0 {
					pdus[i], err = q.Marshal()
				} else {
					pdus[i], err = signer.RAS(q, method, auth.Credentials{SendersID: fmt.Sprint(1000000 + i%len(devices)), Password: "s3cret"})
				}
				require.NoError(b, err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i, pdu := range pdus {
				g.Receive(ras.Path{Remote: devices[i%len(devices)].ras}, pdu)
			}
			b.StopTimer()
			require.Equal(b, b.N, *sent)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "registrations/s")
		})
	}
}

// BenchmarkZone: the share of a core that 10,000 registered terminals with a keep-alive
// a minute take, target 10%, and their memory, target 150 MB.
func BenchmarkZone(b *testing.B) {
	const n = 10000
	devices := terminals(n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	g, _ := benchZone(b, nil)
	pdus := make([][]byte, n)
	for _, d := range devices {
		q := &h225.RASMessage{RegistrationRequest: d.rrq()}
		ras.SetNumber(q, 1)
		pdu, err := q.Marshal()
		require.NoError(b, err)
		g.Receive(ras.Path{Remote: d.ras}, pdu)
	}
	for i, r := range g.Registrations() {
		devices[i] = &device{ras: r.Path.Remote, signalling: r.Signalling[0], id: r.ID}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ResetTimer()
	for round := range b.N { // a minute of the zone
		b.StopTimer()
		for i, d := range devices {
			q := d.keepAlive()
			ras.SetNumber(q, uint16(round+2))
			var err error
			pdus[i], err = q.Marshal()
			require.NoError(b, err)
		}
		b.StartTimer()
		for i, pdu := range pdus {
			g.Receive(ras.Path{Remote: devices[i].ras}, pdu)
		}
		for range 60 * int(time.Second/tickEvery) {
			g.Tick()
		}
	}
	b.StopTimer()
	b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N)/60, "%core")
	b.ReportMetric(float64(after.HeapInuse-before.HeapInuse)/(1<<20), "MB")
}
