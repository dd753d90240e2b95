package gatekeeper

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/internal/golden"
	"github.com/roomgate/roomgate/h323/ras"
)

// TestCaptures plays the endpoints' part of recorded zones, with the identifiers that
// we gave out in place of the recorded ones, and compares what is answered.
func TestCaptures(t *testing.T) {
	calls, err := golden.Load("../../../testdata/h323/captures")
	require.NoError(t, err)
	zones := 0
	for name, messages := range calls {
		if !strings.HasPrefix(name, "gk-") {
			continue
		}
		zones++
		t.Run(name, func(t *testing.T) { replay(t, messages) })
	}
	require.GreaterOrEqual(t, zones, 5)
}

// like is a gatekeeper set up as the recorded one at an address was: with the others
// of the recording as its neighbours.
func like(t *testing.T, messages []golden.Message, at netip.AddrPort) *zone {
	t.Helper()
	return newZone(t, func(c *Config) {
		seen := map[netip.AddrPort]bool{at: true}
		for _, m := range messages {
			if m.Protocol != "ras" {
				continue
			}
			if m.From.Port() == 1719 && !seen[m.From] {
				seen[m.From] = true
				c.Settings.Neighbours = append(c.Settings.Neighbours, Neighbour{Address: m.From})
			}
			if m.From != at {
				continue
			}
			switch parsed := parse(t, m); {
			case parsed.GatekeeperConfirm != nil:
				c.ID = *parsed.GatekeeperConfirm.GatekeeperIdentifier
			case parsed.RegistrationConfirm != nil:
				c.Traversal = c.Traversal || offers(parsed.RegistrationConfirm.FeatureSet, featureTraversal)
			case parsed.AdmissionConfirm != nil && parsed.AdmissionConfirm.CallModel.Direct:
				c.Settings.Model = Direct
			}
		}
	})
}

func parse(t *testing.T, m golden.Message) *h225.RASMessage {
	t.Helper()
	parsed, err := h225.ParseRAS(m.Data)
	require.NoError(t, err)
	return parsed
}

// replayed is a gatekeeper of ours in the place of a recorded one.
type replayed struct {
	*zone
	ids map[string]string // endpointIdentifiers, recorded to ours
}

func replay(t *testing.T, messages []golden.Message) {
	zones := map[netip.AddrPort]*replayed{}
	for _, m := range messages {
		if m.Protocol != "ras" || m.To.Port() != 1719 || !ras.KindOf(parse(t, m)).IsRequest() {
			continue
		}
		z := zones[m.To]
		if z == nil {
			z = &replayed{like(t, messages, m.To), map[string]string{}}
			zones[m.To] = z
		}
		z.play(messages, m)
	}
	for _, z := range zones {
		require.Empty(t, z.g.Registrations(), "everybody left")
		calls, used := z.g.Usage()
		require.Zero(t, calls)
		require.Zero(t, used)
	}
}

// play has our gatekeeper answer a recorded request, and compares.
func (z *replayed) play(messages []golden.Message, m golden.Message) {
	t := z.t.(*testing.T)
	parsed := parse(t, m)
	translate(parsed, z.ids)
	want := recordedAnswer(t, messages, m)
	got := z.from(m.From, parsed)
	if len(got) == 2 { // it asks somebody first
		got = z.relay(messages, m, got)
	}
	require.Len(t, got, 1, "%s", m)
	answer := got[0].m
	require.Equal(t, outcome(want), outcome(answer), "%s", m)
	switch {
	case want.RegistrationConfirm != nil:
		z.ids[want.RegistrationConfirm.EndpointIdentifier] = answer.RegistrationConfirm.EndpointIdentifier
		require.Equal(t, want.RegistrationConfirm.FeatureSet != nil, answer.RegistrationConfirm.FeatureSet != nil)
	case want.AdmissionConfirm != nil:
		require.Equal(t, ras.Alternative(want.AdmissionConfirm.CallModel), ras.Alternative(answer.AdmissionConfirm.CallModel), "%s", m)
		require.Equal(t, want.AdmissionConfirm.BandWidth, answer.AdmissionConfirm.BandWidth)
	}
}

// relay gives our gatekeeper what the one that it asks answered to the recorded one.
func (z *replayed) relay(messages []golden.Message, request golden.Message, sent []datagram) []datagram {
	t := z.t.(*testing.T)
	for _, s := range sent {
		kind := ras.KindOf(s.m)
		if !kind.IsRequest() {
			require.Equal(t, ras.RIP, kind)
			continue
		}
		for _, m := range messages {
			if m.Protocol != "ras" || m.Frame < request.Frame || m.From != s.to.Remote {
				continue
			}
			if answer := parse(t, m); ras.KindOf(answer).Answers(kind) {
				ras.SetNumber(answer, ras.Number(s.m))
				return z.from(m.From, answer)
			}
		}
		z.pass(10 * time.Second) // nobody answered
		return slices.DeleteFunc(z.take(), func(d datagram) bool { return ras.KindOf(d.m).IsRequest() })
	}
	return nil
}

func recordedAnswer(t *testing.T, messages []golden.Message, request golden.Message) *h225.RASMessage {
	t.Helper()
	asked := parse(t, request)
	for _, m := range messages {
		if m.Protocol != "ras" || m.Frame <= request.Frame || m.To != request.From {
			continue
		}
		answer := parse(t, m)
		if ras.Number(answer) == ras.Number(asked) && ras.KindOf(answer).Answers(ras.KindOf(asked)) {
			return answer
		}
	}
	t.Fatalf("%s has no recorded answer", request)
	return nil
}

// translate puts our identifiers in place of recorded ones.
func translate(m *h225.RASMessage, ids map[string]string) {
	swap := func(id *string) {
		if id != nil && ids[*id] != "" {
			*id = ids[*id]
		}
	}
	switch {
	case m.RegistrationRequest != nil:
		swap(m.RegistrationRequest.EndpointIdentifier)
	case m.UnregistrationRequest != nil:
		swap(m.UnregistrationRequest.EndpointIdentifier)
	case m.AdmissionRequest != nil:
		swap(&m.AdmissionRequest.EndpointIdentifier)
	case m.DisengageRequest != nil:
		swap(&m.DisengageRequest.EndpointIdentifier)
	case m.BandwidthRequest != nil:
		swap(&m.BandwidthRequest.EndpointIdentifier)
	}
}
