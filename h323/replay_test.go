package h323_test

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/internal/golden"
	"github.com/roomgate/roomgate/h323/q931"
	"github.com/roomgate/roomgate/media"
)

// everything is what recorded far sides may find something in.
var everything = media.Capabilities{
	Audio: append([]media.Format{
		{Codec: media.G722, PayloadType: 9, ClockRate: 8000, Channels: 1},
		{Codec: media.G7221, PayloadType: 115, ClockRate: 16000, Channels: 1, Bitrate: 24000},
	}, phone.Audio...),
	Video:    room.Video,
	MaxVideo: 2_000_000, Keypad: true,
}

// recordedCall is one signalling connection of a capture, taken apart by who spoke.
type recordedCall struct {
	name           string
	caller, callee [][]byte // TPKT payloads of call signalling
	control        [][]byte // H.245 of the caller, where it had a connection of its own
	controlCallee  [][]byte
}

func recordedCalls(t testing.TB) (out []recordedCall) {
	t.Helper()
	captures, err := golden.Load("../testdata/h323/captures")
	require.NoError(t, err)
	names := make([]string, 0, len(captures))
	for name := range captures {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		type way struct{ from, to netip.AddrPort }
		streams := map[way][][]byte{}
		var order []way
		for _, m := range captures[name] {
			if m.Protocol == "ras" {
				continue
			}
			w := way{m.From, m.To}
			if streams[w] == nil {
				order = append(order, w)
			}
			streams[w] = append(streams[w], m.Data)
		}
		for _, w := range order {
			first, err := callsig.Parse(streams[w][0])
			if err != nil || first.Type() != q931.Setup {
				continue
			}
			c := recordedCall{name: fmt.Sprintf("%s %s", name, w.to), caller: streams[w], callee: streams[way{w.to, w.from}]}
			for _, h := range order {
				if streams[h][0][0] == 8 && streams[h][0][1] == 2 {
					continue // call signalling
				}
				if h.from.Addr() == w.from.Addr() && len(c.control) == 0 {
					c.control, c.controlCallee = streams[h], streams[way{h.to, h.from}]
				}
			}
			out = append(out, c)
		}
	}
	require.Greater(t, len(out), 12)
	return out
}

// opens reports whether H.245 or fast start in recorded messages opens channels.
func opens(list [][]byte) bool {
	for _, payload := range list {
		pdus := [][]byte{payload}
		if m, err := callsig.Parse(payload); err == nil {
			if len(m.FastStart) > 0 {
				return true
			}
			pdus = m.Control
		}
		for _, pdu := range pdus {
			messages, _ := h245.Parse(pdu)
			for _, m := range messages {
				if m.Request != nil && m.Request.OpenLogicalChannel != nil {
					return true
				}
			}
		}
	}
	return false
}

// silenced takes the far side's messages as they come.
func silenced(r *raw) {
	go func() {
		for {
			if _, err := r.reader.Next(); err != nil {
				return
			}
		}
	}()
}

// Third-party callers, replayed: their calls are taken, their channels stand, and
// their goodbyes end the call.
func TestReplayedCallers(t *testing.T) {
	for _, c := range recordedCalls(t) {
		t.Run(c.name, func(t *testing.T) {
			a := start(t, func(cfg *h323.Config) { cfg.Timers.Control = patience })
			r := dialRaw(t, a, "127.0.0.1")
			r.send(c.caller[0], nil)
			leg := a.next()
			info := leg.Info()
			require.NotEmpty(t, info.Remote.Product)
			require.NotEmpty(t, info.Remote.Alias)
			go func() { _ = leg.Accept(within(t), everything) }()
			m := r.await(q931.Connect)
			if len(c.control) > 0 && m.H245Address.IsValid() {
				conn, err := net.Dial("tcp", m.H245Address.String())
				require.NoError(t, err)
				control := wrap(t, conn)
				silenced(control)
				for _, payload := range c.control[:len(c.control)-1] { // the last one is endSession
					control.send(payload, nil)
				}
			}
			silenced(r)
			rest := c.caller[1:]
			goodbye := len(rest) > 0 && q931.MessageType(rest[len(rest)-1][4]) == q931.ReleaseComplete
			if goodbye {
				rest = rest[:len(rest)-1]
			}
			for _, payload := range rest {
				r.send(payload, nil)
			}
			if opens(c.caller) || opens(c.control) && len(c.control) > 1 {
				require.Eventually(t, func() bool { return len(leg.Info().Streams) > 0 }, patience, time.Millisecond, "no channel stands")
			}
			if goodbye {
				r.send(c.caller[len(c.caller)-1], nil)
			} else {
				require.NoError(t, leg.Hangup(normal()))
			}
			cause := drain(t, leg)
			assert.Contains(t, []call.CauseCode{call.NormalClearing, call.Cancelled, call.UnknownAlias, call.UserBusy, call.Rejected, call.Unavailable, call.BadRequest}, cause.Code)
		})
	}
}

// Third-party callees, replayed under our call reference.
func TestReplayedCallees(t *testing.T) {
	for _, c := range recordedCalls(t) {
		if len(c.callee) == 0 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			a := start(t, func(cfg *h323.Config) { cfg.FastStart, cfg.Timers.Control = h323.FastOn, patience })
			l := listenRaw(t)
			leg, err := a.Dial(within(t), call.Target{Address: "h323:x@" + l.at(), Can: everything})
			require.NoError(t, err)
			r := l.accept()
			ref := r.await(q931.Setup).Reference()
			silenced(r)
			answered, released := false, false
			for _, payload := range c.callee {
				m, err := callsig.Parse(payload)
				require.NoError(t, err)
				if m.Type() == q931.ReleaseComplete {
					if answered {
						require.Eventually(t, func() bool { return !leg.Info().Answered.IsZero() }, patience, time.Millisecond)
					}
					// Keys of a recorded call do not fit ours.
					if answered && opens(c.callee) && *m.Tunnelling && !strings.Contains(c.name, "h235") {
						require.Eventually(t, func() bool { return len(leg.Info().Streams) > 0 }, patience, time.Millisecond, "no channel stands")
					}
					released = true
				}
				answered = answered || m.Type() == q931.Connect
				patched := slices.Clone(payload)
				patched[2], patched[3] = byte(ref.Value>>8)|0x80, byte(ref.Value)
				r.send(patched, nil)
			}
			if !released {
				require.Eventually(t, func() bool { return !leg.Info().Answered.IsZero() == answered }, patience, time.Millisecond)
				require.NoError(t, leg.Hangup(normal()))
			}
			drain(t, leg)
		})
	}
}
