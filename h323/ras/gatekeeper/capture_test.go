package gatekeeper

import (
	"strings"
	"testing"

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
		t.Run(name, func(t *testing.T) { replay(t, name, messages) })
	}
	require.GreaterOrEqual(t, zones, 5)
}

func replay(t *testing.T, name string, messages []golden.Message) {
	z := newZone(t, func(c *Config) {
		c.ID, c.Traversal = "TestGK", strings.Contains(name, "routed") && !strings.Contains(name, "no18") || strings.Contains(name, "proxy")
		if name == "gk-direct" {
			c.Settings.Model = Direct
		}
	})
	ids := map[string]string{} // recorded to ours
	for _, m := range messages {
		if m.Protocol != "ras" {
			continue
		}
		parsed, err := h225.ParseRAS(m.Data)
		require.NoError(t, err)
		if kind := ras.KindOf(parsed); m.To.Port() != 1719 || !kind.IsRequest() {
			continue
		}
		translate(parsed, ids)
		want := recordedAnswer(t, messages, m)
		got := z.from(m.From, parsed)
		require.Len(t, got, 1, "%s", m)
		require.Equal(t, outcome(want), outcome(got[0].m), "%s", m)
		if c := want.RegistrationConfirm; c != nil {
			ids[c.EndpointIdentifier] = got[0].m.RegistrationConfirm.EndpointIdentifier
			require.Equal(t, c.FeatureSet != nil, got[0].m.RegistrationConfirm.FeatureSet != nil)
		}
		if c := want.AdmissionConfirm; c != nil {
			require.Equal(t, ras.Alternative(c.CallModel), ras.Alternative(got[0].m.AdmissionConfirm.CallModel), "%s", m)
			require.Equal(t, c.BandWidth, got[0].m.AdmissionConfirm.BandWidth)
		}
	}
	require.Empty(t, z.g.Registrations(), "everybody left")
	calls, used := z.g.Usage()
	require.Zero(t, calls)
	require.Zero(t, used)
}

func recordedAnswer(t *testing.T, messages []golden.Message, request golden.Message) *h225.RASMessage {
	t.Helper()
	asked, err := h225.ParseRAS(request.Data)
	require.NoError(t, err)
	for _, m := range messages {
		if m.Protocol != "ras" || m.Frame <= request.Frame || m.To != request.From {
			continue
		}
		answer, err := h225.ParseRAS(m.Data)
		require.NoError(t, err)
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
