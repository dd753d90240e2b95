package h323_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/trace"
)

// The ladder of a call has what was said, less PIN, digits and keys, and Wireshark
// reads it.
func TestTrace(t *testing.T) {
	for name, tunnelling := range map[string]h323.Tunnelling{"tunnelled": h323.TunnelPrefer, "separate": h323.TunnelOff} {
		t.Run(name, func(t *testing.T) {
			kept := trace.New(trace.Limits{}, nil)
			tune := func(c *h323.Config) {
				c.Trace, c.Tunnelling, c.Encryption = kept, tunnelling, h323.EncryptRequire
			}
			a, b := start(t, tune), start(t, tune)
			can := room
			can.Keypad = false
			caller, err := a.Dial(within(t), call.Target{Address: b.uri("88001*4711"), From: "phone", Can: can})
			require.NoError(t, err)
			callee := b.next()
			require.NoError(t, callee.Accept(within(t), can))
			stand(t, can, caller, callee)
			require.NoError(t, caller.(call.DigitSender).SendDigits(within(t), "9"))
			require.Equal(t, '9', await(t, callee, call.Keypad).Digit, "what was said is not changed")
			hangUp(t, caller, callee)

			for _, l := range []call.Leg{caller, callee} {
				var list []trace.Message
				require.Eventually(t, func() bool {
					list, _, _ = kept.Ladder(l.Info().ID)
					return has(list, "RELEASE COMPLETE")
				}, patience, time.Millisecond)
				for _, want := range []string{"SETUP", "CONNECT", "terminalCapabilitySet", "openLogicalChannel", "userInput"} {
					require.True(t, has(list, want), "no %s in %s", want, summaries(list))
				}
				for _, m := range list {
					require.False(t, bytes.Contains(m.Data, []byte("4711")), m.Summary)
					require.False(t, bytes.Contains(m.Data, []byte("\x004\x007\x001\x001")), m.Summary)
					require.False(t, bytes.Contains(m.Data, []byte{0xBB, 0x33, 0x41, 0x7A, 0x44}), m.Summary) // dialledDigits
					noSecrets(t, m)
				}
				dissects(t, list)
			}
		})
	}
}

func has(list []trace.Message, summary string) bool {
	for _, m := range list {
		if m.Summary == summary {
			return true
		}
	}
	return false
}

func summaries(list []trace.Message) (all []string) {
	for _, m := range list {
		all = append(all, m.Summary)
	}
	return all
}

// noSecrets decodes a message: tokens and keys hold nothing, and a digit is a star.
func noSecrets(t *testing.T, m trace.Message) {
	t.Helper()
	zero := func(b []byte) { require.Equal(t, make([]byte, len(b)), b, m.Summary) }
	switch m.Protocol {
	case trace.H225:
		p, err := callsig.Parse(m.Data)
		require.NoError(t, err)
		require.NoError(t, p.Err, m.Summary)
		for _, token := range p.Tokens {
			if token.Dhkey != nil {
				zero(token.Dhkey.Halfkey.Bytes)
			}
		}
	case trace.H245:
		list, err := h245.Parse(m.Data)
		require.NoError(t, err, m.Summary)
		for _, p := range list {
			if i := p.Indication; i != nil && i.UserInput != nil && i.UserInput.Signal != nil {
				require.Equal(t, "*", i.UserInput.Signal.SignalType)
			}
			if r := p.Request; r != nil && r.OpenLogicalChannel != nil && r.OpenLogicalChannel.EncryptionSync != nil {
				zero(r.OpenLogicalChannel.EncryptionSync.H235Key)
			}
		}
	}
}

// dissects has tshark read messages.
func dissects(t *testing.T, list []trace.Message) {
	t.Helper()
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Log("NO TSHARK: the capture is not read by anybody else")
		return
	}
	var capture bytes.Buffer
	require.NoError(t, trace.WritePcap(&capture, list))
	file := filepath.Join(t.TempDir(), "call.pcap")
	require.NoError(t, os.WriteFile(file, capture.Bytes(), 0o600))
	out, err := exec.Command(tshark, "-r", file, "-Y", "_ws.malformed", "-V").Output()
	require.NoError(t, err)
	require.Empty(t, string(out))
	out, err = exec.Command(tshark, "-r", file, "-Y", "h225 || h245", "-T", "fields", "-e", "frame.number").Output()
	require.NoError(t, err)
	sent := 0
	for _, m := range list {
		if !m.Within {
			sent++
		}
	}
	require.Equal(t, sent, bytes.Count(out, []byte("\n")), "messages that are known for what they are")
}
