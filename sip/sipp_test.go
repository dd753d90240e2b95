package sip_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
)

// sipp runs a scenario of testdata/sipp and fails the test unless it went as
// written. It returns at once; wait tells the outcome.
func sipp(t *testing.T, scenario string, args ...string) (port int, wait func()) {
	t.Helper()
	path, err := exec.LookPath("sipp")
	if err != nil {
		t.Skip("SIPP IS NOT INSTALLED (Debian: sip-tester): the awkward flows are NOT tested")
	}
	file, err := filepath.Abs(filepath.Join("testdata", "sipp", scenario+".xml"))
	require.NoError(t, err)
	port = freePort(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	cmd := exec.CommandContext(ctx, path, append([]string{
		"-sf", file, "-m", "1", "-i", "127.0.0.1", "-p", fmt.Sprint(port), "-nostdin",
		"-mp", fmt.Sprint(freePort(t)), "-timeout", "20s", "-timeout_error",
		"-trace_err", "-trace_msg", "-message_file", "messages.log", "-error_file", "errors.log",
	}, args...)...)
	cmd.Dir = t.TempDir()
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait(); cancel() }()
	finished := false
	wait = func() {
		t.Helper()
		if finished {
			return
		}
		finished = true
		if err := <-done; err != nil {
			logs, _ := exec.Command("cat", filepath.Join(cmd.Dir, "errors.log"), filepath.Join(cmd.Dir, "messages.log")).Output()
			t.Fatalf("sipp %s: %v\n%s", scenario, err, tail(string(logs), 6000))
		}
	}
	t.Cleanup(func() {
		if !finished {
			cancel()
			<-done
		}
	})
	return port, wait
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// freePort finds a port that is free for UDP and TCP, with the next one.
func freePort(t *testing.T) int {
	t.Helper()
	// Below the ports that the kernel gives to others.
	for range 1000 {
		at := net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 10000 + 2*rand.IntN(5000)}
		if free(at) && free(net.UDPAddr{IP: at.IP, Port: at.Port + 1}) {
			return at.Port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func free(at net.UDPAddr) bool {
	u, err := net.ListenUDP("udp", &at)
	if err != nil {
		return false
	}
	defer u.Close()
	c, err := net.Listen("tcp", at.String())
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// sipp calls the gateway.
func TestSippCallsIn(t *testing.T) {
	for _, tc := range []struct {
		scenario string
		serve    func(*testing.T, call.Leg)
	}{
		{"offerless", answerNow},
		{"reinvite", func(t *testing.T, l call.Leg) {
			answerNow(t, l)
			await(t, l, call.Held)
			await(t, l, call.Resumed)
		}},
		{"update", func(t *testing.T, l call.Leg) {
			answerNow(t, l)
			await(t, l, call.Held)
			await(t, l, call.Resumed)
		}},
		{"prack", earlyThenAnswer},
		{"prack_offerless", earlyThenAnswer},
		{"timer_422", answerNow},
		{"cancel", func(t *testing.T, l call.Leg) {
			require.NoError(t, l.Progress(within(t), call.Provisional{Ringing: true}))
			require.Equal(t, call.Cancelled, await(t, l, call.Ended).Cause.Code)
		}},
		{"refer", func(t *testing.T, l call.Leg) {
			answerNow(t, l)
			refer := await(t, l, call.Referred).Refer
			require.Equal(t, "sip:88002@example.com", refer.To)
			refer.Accept()(call.Cause{Code: call.NormalClearing})
		}},
	} {
		t.Run(tc.scenario, func(t *testing.T) {
			for _, transport := range []string{"udp", "tcp"} {
				a := start(t, nil)
				mode := map[string]string{"udp": "u1", "tcp": "t1"}[transport]
				_, wait := sipp(t, tc.scenario, "-t", mode, a.address(transport).String())
				leg := a.next()
				tc.serve(t, leg)
				wait()
				for range leg.Events() {
					continue // to the end
				}
				a.stop()
			}
		})
	}
}

func answerNow(t *testing.T, l call.Leg) {
	t.Helper()
	require.NoError(t, l.Accept(within(t), phone))
	await(t, l, call.Connected)
}

func earlyThenAnswer(t *testing.T, l call.Leg) {
	t.Helper()
	require.NoError(t, l.Progress(within(t), call.Provisional{EarlyMedia: &phone}))
	time.AfterFunc(300*time.Millisecond, func() { _ = l.Accept(context.Background(), phone) })
	await(t, l, call.Connected)
}

// The gateway calls sipp.
func TestSippCallsOut(t *testing.T) {
	for _, tc := range []struct {
		scenario string
		early    call.EventKind
	}{
		{"uas_forked", call.EarlyMedia},
		{"uas_record_route", 0},
		{"uas_timer_422", 0},
		{"uas_challenge", 0},
		{"uas_reliable", call.EarlyMedia},
	} {
		t.Run(tc.scenario, func(t *testing.T) {
			a := start(t, nil)
			port, wait := sipp(t, tc.scenario, "-t", "u1")
			leg := dialPort(t, a, port, phone)
			if tc.early != 0 {
				await(t, leg, tc.early)
			}
			await(t, leg, call.Connected)
			require.NoError(t, leg.Hangup(call.Cause{Code: call.NormalClearing}))
			wait()
		})
	}
}

// dialPort calls a scenario once it listens.
func dialPort(t *testing.T, a *agent, port int, can media.Capabilities) call.Leg {
	t.Helper()
	awaitUDP(t, port)
	leg, err := a.Dial(within(t), call.Target{
		Address: fmt.Sprintf("sip:sipp@127.0.0.1:%d;transport=udp", port), Can: can, Username: "alice", Password: "secret",
	})
	require.NoError(t, err)
	return leg
}

// awaitUDP returns once a port is taken.
func awaitUDP(t *testing.T, port int) {
	t.Helper()
	require.Eventually(t, func() bool {
		c, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			c.Close()
		}
		return err != nil
	}, patience, 10*time.Millisecond)
}

func TestSippRedirects(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	port, wait := sipp(t, "uas_redirect", "-t", "u1", "-key", "target", b.address("udp").String())
	leg := dialPort(t, a, port, phone)
	callee := b.next()
	require.Equal(t, "moved", callee.Info().Called)
	require.NoError(t, callee.Accept(within(t), phone))
	await(t, leg, call.Connected)
	wait()
}

// A BYE during our re-INVITE ends the call and leaves nothing (drachtio#145).
func TestSippByeDuringReinvite(t *testing.T) {
	a := start(t, nil)
	port, wait := sipp(t, "uas_bye_in_reinvite", "-t", "u1")
	leg := dialPort(t, a, port, phone)
	await(t, leg, call.Connected)
	require.ErrorIs(t, leg.Update(within(t), phone), call.ErrEnded)
	await(t, leg, call.Ended)
	wait()
	require.Eventually(t, func() bool { return a.Calls() == 0 }, patience, 10*time.Millisecond)
}
