package h323_test

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323"
)

func encrypts(policy h323.Encryption) func(*h323.Config) {
	return func(c *h323.Config) { c.Encryption = policy }
}

// sniff collects the UDP payloads that cross loopback until it is read.
func sniff(t *testing.T) (read func() [][]byte) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Log("NOT CHECKED: what is on the wire, which only root may see")
		return func() [][]byte { return nil }
	}
	const protocol = syscall.ETH_P_IP>>8 | syscall.ETH_P_IP&0xff<<8
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM, protocol)
	require.NoError(t, err)
	lo := syscall.SockaddrLinklayer{Protocol: protocol, Ifindex: 1}
	require.NoError(t, syscall.Bind(fd, &lo))
	require.NoError(t, syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Usec: 50_000}))
	require.NoError(t, syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<20))
	return func() (list [][]byte) {
		defer syscall.Close(fd)
		buf := make([]byte, 65536)
		for {
			n, err := syscall.Read(fd, buf)
			if err != nil {
				return list
			}
			const ip, udp = 20, 8
			if n > ip+udp && buf[9] == syscall.IPPROTO_UDP {
				list = append(list, bytes.Clone(buf[ip+udp:n]))
			}
		}
	}
}

func TestEncryptedCallInEveryWay(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			tune := func(f func(*h323.Config)) func(*h323.Config) {
				if f == nil {
					f = func(*h323.Config) {}
				}
				return both(f, encrypts(h323.EncryptPrefer))
			}
			a, b := start(t, tune(way.caller)), start(t, tune(way.callee))
			wire := sniff(t)
			caller, callee := connect(t, a, b, room)
			exchangeAudio(t, caller, callee)
			exchangeAudio(t, callee, caller)
			for _, l := range []call.Leg{caller, callee} {
				require.Equal(t, "h235", l.Info().Encryption)
				require.Len(t, l.Info().Streams, 2)
			}
			media := 0
			for _, packet := range wire() {
				require.NotContains(t, string(packet), sound, "the sound is on the wire")
				if len(packet) == 12+160 {
					media++
				}
			}
			if os.Getuid() == 0 {
				require.Positive(t, media, "nothing was seen")
			}
			hangUp(t, caller, callee)
		})
	}
}

func TestEncryptionPolicies(t *testing.T) {
	const off, prefer, must = h323.EncryptOff, h323.EncryptPrefer, h323.EncryptRequire
	for _, c := range []struct {
		caller, callee h323.Encryption
		meeting        string // what the gateway asks for at the called side
		want           string // encryption, or "" where the call is refused
	}{
		{off, off, "", "none"}, {off, prefer, "", "none"}, {prefer, off, "", "none"}, {prefer, prefer, "", "h235"},
		{must, prefer, "", "h235"}, {prefer, must, "", "h235"}, {must, must, "", "h235"},
		{off, must, "", ""}, {must, off, "", ""},
		{prefer, off, "require", "h235"}, {prefer, off, "prefer", "h235"}, {off, off, "require", ""}, {prefer, prefer, "off", "h235"},
	} {
		t.Run(fmt.Sprintf("%s to %s meeting %q", c.caller, c.callee, c.meeting), func(t *testing.T) {
			a, b := start(t, encrypts(c.caller)), start(t, encrypts(c.callee))
			caller, err := a.Dial(within(t), call.Target{Address: b.uri("88001"), Can: phone})
			require.NoError(t, err)
			callee := b.next()
			can := phone
			can.Encryption = c.meeting
			err = callee.Accept(within(t), can)
			if c.want == "" {
				require.Equal(t, call.EncryptionRequired, await(t, caller, call.Ended).Cause.Code)
				require.Contains(t, []call.CauseCode{call.EncryptionRequired, call.NormalClearing}, await(t, callee, call.Ended).Cause.Code)
				return
			}
			require.NoError(t, err)
			stand(t, phone, caller, callee)
			exchangeAudio(t, caller, callee)
			exchangeAudio(t, callee, caller)
			require.Equal(t, c.want, caller.Info().Encryption)
			require.Equal(t, c.want, callee.Info().Encryption)
			hangUp(t, callee, caller)
		})
	}
}

// A target may ask for more than the stack.
func TestTargetAsksForEncryption(t *testing.T) {
	a, b := start(t, nil), start(t, encrypts(h323.EncryptPrefer))
	caller, err := a.Dial(within(t), call.Target{Address: b.uri("1"), Can: phone, Encryption: "require"})
	require.NoError(t, err)
	callee := b.next()
	require.NoError(t, callee.Accept(within(t), phone))
	stand(t, phone, caller, callee)
	require.Equal(t, "h235", callee.Info().Encryption)
	hangUp(t, caller, callee)
}

// Setting a call up may take no longer than people notice.
func TestEncryptedCallIsQuick(t *testing.T) {
	a, b := start(t, encrypts(h323.EncryptPrefer)), start(t, encrypts(h323.EncryptPrefer))
	best := time.Hour
	for range 5 {
		began := time.Now()
		caller, callee := connect(t, a, b, phone)
		best = min(best, time.Since(began))
		hangUp(t, caller, callee)
	}
	t.Log("from SETUP to media:", best)
	require.Less(t, best, 150*time.Millisecond)
}
