package callsig_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/internal/golden"
	"github.com/roomgate/roomgate/h323/q931"
)

var self = h225.EndpointType{
	Vendor: &h225.VendorIdentifier{
		Vendor: h225.H221NonStandard{T35CountryCode: 181}, ProductID: []byte("product"), VersionID: []byte("1"),
	},
	Gateway: &h225.GatewayInfo{},
}

var carry = callsig.Carry{
	Tunnelling: true, Control: [][]byte{{1, 2}, {3}}, H245Address: netip.MustParseAddrPort("10.0.0.1:4000"),
	FastStart: [][]byte{{4, 5, 6}}, Display: "Phòng họp",
}

// pair is both ends of a call in which the SETUP has come.
func pair(t *testing.T) (caller, callee *callsig.Call) {
	t.Helper()
	caller = &callsig.Call{Reference: 77, Caller: true, CallID: [16]byte{1}, ConferenceID: [16]byte{2}, Self: self}
	m := read(t)(caller.Setup(callsig.SetupOptions{
		Called: []h225.AliasAddress{alias.Of("demo")}, From: []h225.AliasAddress{alias.Of("8401"), alias.Of("Room 1")},
		Destination: netip.MustParseAddrPort("10.0.0.2:1720"), Source: netip.MustParseAddrPort("10.0.0.1:1720"), Rate: 768000,
	}, carry))
	require.Equal(t, q931.Setup, m.Type())
	return caller, callsig.Incoming(m, self)
}

// read parses what was composed.
func read(t *testing.T) func([]byte, error) *callsig.Message {
	return func(payload []byte, err error) *callsig.Message {
		t.Helper()
		require.NoError(t, err)
		m, err := callsig.Parse(payload)
		require.NoError(t, err)
		require.NoError(t, m.Err)
		return m
	}
}

func TestSetupIsReadAsItWasWritten(t *testing.T) {
	caller := &callsig.Call{Reference: 0x7FFF, Caller: true, CallID: [16]byte{1}, ConferenceID: [16]byte{2}, Self: self}
	m := read(t)(caller.Setup(callsig.SetupOptions{
		Called: []h225.AliasAddress{alias.Of("88001")}, From: []h225.AliasAddress{alias.Of("8401"), alias.Of("Room 1")},
		Destination: netip.MustParseAddrPort("[2001:db8::1]:1720"), Rate: 64000, EndpointID: "id", Parallel: [][]byte{{9}},
	}, carry))
	assert.Equal(t, q931.CallReference{Value: 0x7FFF}, m.Reference())
	assert.Equal(t, callsig.Dialled{Alias: "88001", URI: "88001", Complete: true}, m.Dialled())
	assert.Equal(t, callsig.Source{Aliases: []string{"8401", "Room 1"}, Alias: "8401", Name: "Phòng họp"}, m.Source())
	assert.Equal(t, carry.Control, m.Control)
	assert.True(t, *m.Tunnelling)
	assert.Equal(t, carry.FastStart, m.FastStart)
	assert.Equal(t, carry.H245Address, m.H245Address)
	assert.Equal(t, [16]byte{1}, *m.CallID)
	assert.Equal(t, [16]byte{2}, *m.ConferenceID)
	assert.Equal(t, "product", string(m.Endpoint.Vendor.ProductID))
	s := m.Body().Setup
	assert.NotNil(t, s.DestCallSignalAddress, "some terminals crash without it")
	assert.Equal(t, "id", *s.EndpointIdentifier)
	assert.Equal(t, [][]byte{{9}}, s.ParallelH245Control)
	assert.Equal(t, "88001", m.CalledNumber())
}

// Every message of a call is read by the other end as it was meant, and moves both
// ends on alike.
func TestACallFromEndToEnd(t *testing.T) {
	caller, callee := pair(t)
	for _, step := range []struct {
		what           string
		by             *callsig.Call
		send           func(*callsig.Call) ([]byte, error)
		kind           q931.MessageType
		caller, callee callsig.State
	}{
		{"ack", callee, func(c *callsig.Call) ([]byte, error) { return c.SetupAcknowledge() }, q931.SetupAcknowledge, callsig.OverlapSending, callsig.OverlapReceiving},
		{"digits", caller, func(c *callsig.Call) ([]byte, error) { return c.Information("12", true, carry) }, q931.Information, callsig.OverlapSending, callsig.OverlapReceiving},
		{"proceeding", callee, func(c *callsig.Call) ([]byte, error) { return c.CallProceeding(carry) }, q931.CallProceeding, callsig.OutgoingProceeding, callsig.IncomingProceeding},
		{"progress", callee, func(c *callsig.Call) ([]byte, error) { return c.Progress(carry) }, q931.Progress, callsig.OutgoingProceeding, callsig.IncomingProceeding},
		{"alerting", callee, func(c *callsig.Call) ([]byte, error) { return c.Alerting(carry) }, q931.Alerting, callsig.Delivered, callsig.Received},
		{"connect", callee, func(c *callsig.Call) ([]byte, error) { return c.Connect(carry) }, q931.Connect, callsig.Active, callsig.Active},
		{"facility", caller, func(c *callsig.Call) ([]byte, error) {
			return c.Facility(callsig.FacilityOptions{Reason: h225.FacilityReason{StartH245: true}}, carry)
		}, q931.Facility, callsig.Active, callsig.Active},
		{"tunnel", callee, func(c *callsig.Call) ([]byte, error) { return c.Tunnel(carry) }, q931.Facility, callsig.Active, callsig.Active},
		{"release", caller, func(c *callsig.Call) ([]byte, error) {
			return c.ReleaseComplete(call.Cause{Code: call.UserBusy}, carry)
		}, q931.ReleaseComplete, callsig.Released, callsig.Released},
	} {
		m := read(t)(step.send(step.by))
		other := caller
		if step.by == caller {
			other = callee
		}
		require.Equal(t, step.kind, m.Type(), step.what)
		require.Equal(t, uint16(77), m.Reference().Value, step.what)
		require.Equal(t, step.by == callee, m.Reference().FromDestination, step.what)
		require.Equal(t, callsig.Take, other.Take(m.Type()), step.what)
		require.Equal(t, step.caller, caller.State(), step.what)
		require.Equal(t, step.callee, callee.State(), step.what)
		if step.what != "ack" {
			require.Equal(t, carry.Control, m.Control, step.what)
		}
		require.NotNil(t, m.UU, step.what)
	}
	_, err := caller.Tunnel(carry)
	require.ErrorIs(t, err, callsig.ErrState, "a message after the end")
	require.Equal(t, callsig.Drop, callee.Take(q931.Facility))
}

func TestWhatDoesNotBelong(t *testing.T) {
	for _, tc := range []struct {
		came  []q931.MessageType // at a caller whose SETUP is out
		then  q931.MessageType
		want  callsig.Verdict
		state callsig.State
	}{
		{nil, q931.Status, callsig.Drop, callsig.Initiated},
		{nil, q931.StatusInquiry, callsig.Answer, callsig.Initiated},
		{nil, q931.Setup, callsig.Wrong, callsig.Initiated},
		{nil, q931.Restart, callsig.Wrong, callsig.Initiated},
		{nil, 0x37, callsig.Wrong, callsig.Initiated},
		{[]q931.MessageType{q931.Alerting}, q931.CallProceeding, callsig.Drop, callsig.Delivered},
		{[]q931.MessageType{q931.Alerting}, q931.Alerting, callsig.Take, callsig.Delivered},
		{[]q931.MessageType{q931.Connect}, q931.Connect, callsig.Drop, callsig.Active},
		{[]q931.MessageType{q931.Connect}, q931.Alerting, callsig.Drop, callsig.Active},
		{[]q931.MessageType{q931.Connect}, q931.ConnectAck, callsig.Drop, callsig.Active},
		{[]q931.MessageType{q931.CallProceeding}, q931.CallProceeding, callsig.Take, callsig.OutgoingProceeding},
		{[]q931.MessageType{q931.ReleaseComplete}, q931.Connect, callsig.Drop, callsig.Released},
		{nil, q931.Connect, callsig.Take, callsig.Active},
	} {
		caller, _ := pair(t)
		for _, came := range tc.came {
			require.Equal(t, callsig.Take, caller.Take(came))
		}
		assert.Equal(t, tc.want, caller.Take(tc.then), "%v then %s", tc.came, tc.then)
		assert.Equal(t, tc.state, caller.State(), "%v then %s", tc.came, tc.then)
	}
	_, callee := pair(t)
	for _, wrong := range []q931.MessageType{q931.Connect, q931.CallProceeding, q931.Setup} {
		assert.Equal(t, callsig.Wrong, callee.Take(wrong), wrong)
	}
	_, err := callee.Setup(callsig.SetupOptions{}, carry)
	assert.ErrorIs(t, err, callsig.ErrState)
}

// Two sides that find each other's messages wrong come to an end.
func TestStatusIsNotRepeatedForEver(t *testing.T) {
	caller, _ := pair(t)
	sent := 0
	for range 100 {
		payload, err := caller.Status(callsig.CauseNotCompatible)
		require.NoError(t, err)
		if payload != nil {
			sent++
			m := read(t)(payload, nil)
			e, _ := m.Q931.Get(q931.CallStateID)
			state, err := q931.ParseOctet(e)
			require.NoError(t, err)
			require.Equal(t, uint8(callsig.Initiated), state)
		}
	}
	require.Equal(t, 20, sent)
}

// Every cause that a call is refused with comes back as one that means the same.
func TestCausesComeBack(t *testing.T) {
	for _, code := range []call.CauseCode{
		call.NormalClearing, call.UserBusy, call.NoAnswer, call.Unavailable, call.Rejected, call.Unauthorized, call.UnknownAlias,
		call.BadRequest, call.IncompatibleMedia, call.EncryptionRequired, call.Congestion, call.Timeout, call.Transferred,
		call.NotSupported, call.Failure,
	} {
		_, callee := pair(t)
		m := read(t)(callee.ReleaseComplete(call.Cause{Code: code}, callsig.Carry{Display: "why"}))
		got := m.Cause()
		assert.Equal(t, code, got.Code)
		assert.Equal(t, "why", got.Text)
	}
	for _, same := range [][2]call.CauseCode{{call.Draining, call.Congestion}, {call.MeetingEnded, call.NormalClearing}, {call.Removed, call.Rejected}} {
		_, callee := pair(t)
		m := read(t)(callee.ReleaseComplete(call.Cause{Code: same[0]}, callsig.Carry{}))
		assert.Equal(t, same[1], m.Cause().Code, same[0])
	}
}

func TestForeignReasons(t *testing.T) {
	for want, set := range map[call.CauseCode]func(*h225.ReleaseCompleteReason){
		call.Congestion:     func(r *h225.ReleaseCompleteReason) { r.AdaptiveBusy = true },
		call.Unauthorized:   func(r *h225.ReleaseCompleteReason) { r.CallerNotRegistered = true },
		call.UserBusy:       func(r *h225.ReleaseCompleteReason) { r.InConf = true },
		call.NormalClearing: func(r *h225.ReleaseCompleteReason) { r.UndefinedReason = true },
		call.Rejected:       func(r *h225.ReleaseCompleteReason) { r.HopCountExceeded = true },
	} {
		r := new(h225.ReleaseCompleteReason)
		set(r)
		q := &q931.Message{Reference: q931.CallReference{Value: 1}, Type: q931.ReleaseComplete}
		require.NoError(t, h225.Attach(q, &h225.H323UserInformation{H323UUPDU: h225.H323UUPDU{
			H323MessageBody: h225.MessageBody{ReleaseComplete: &h225.ReleaseComplete{ProtocolIdentifier: h225.ProtocolIdentifier, Reason: r}},
		}}))
		m := read(t)(q.Marshal())
		assert.Equal(t, want, m.Cause().Code)
	}
	// One without H.225.0, as in pure Q.931.
	q := &q931.Message{Reference: q931.CallReference{Value: 1}, Type: q931.ReleaseComplete}
	q.Set(q931.Cause{Value: 17}.Element())
	payload, err := q.Marshal()
	require.NoError(t, err)
	m, err := callsig.Parse(payload)
	require.NoError(t, err)
	require.Error(t, m.Err)
	assert.Equal(t, call.UserBusy, m.Cause().Code)
}

func TestDialForms(t *testing.T) {
	transportID := h225.AliasAddress{TransportID: alias.Transport(netip.MustParseAddrPort("10.0.0.2:1720"))}
	for _, tc := range []struct {
		aliases []h225.AliasAddress
		number  string
		overlap bool
		want    callsig.Dialled
	}{
		{[]h225.AliasAddress{alias.Of("demo")}, "", false, callsig.Dialled{"demo", "demo", true}},
		{[]h225.AliasAddress{alias.ID("demo@gw.example")}, "", false, callsig.Dialled{"demo", "demo@gw.example", true}},
		{[]h225.AliasAddress{alias.Of("h323:demo@gw.example")}, "", false, callsig.Dialled{"demo", "h323:demo@gw.example", true}},
		{[]h225.AliasAddress{alias.ID("10.0.0.2##88001")}, "", false, callsig.Dialled{"88001", "10.0.0.2##88001", true}},
		{[]h225.AliasAddress{transportID, alias.Of("88001")}, "", false, callsig.Dialled{"88001", "88001", true}},
		{[]h225.AliasAddress{transportID}, "", false, callsig.Dialled{"", "10.0.0.2:1720", true}},
		{[]h225.AliasAddress{alias.ID("10.0.0.2")}, "", false, callsig.Dialled{"", "10.0.0.2", true}},
		{nil, "88001", false, callsig.Dialled{"88001", "88001", true}},
		{[]h225.AliasAddress{alias.ID("10.0.0.2")}, "88001", false, callsig.Dialled{"88001", "88001", true}},
		{nil, "88", true, callsig.Dialled{"88", "88", false}},
		{nil, "", true, callsig.Dialled{"", "", false}},
		{nil, "", false, callsig.Dialled{"", "", true}},
	} {
		s := &h225.Setup{
			ProtocolIdentifier: h225.ProtocolIdentifier, DestinationAddress: tc.aliases, CanOverlapSend: &tc.overlap,
			ConferenceGoal: h225.SetupConferenceGoal{Create: true}, CallType: h225.CallType{PointToPoint: true},
		}
		q := &q931.Message{Reference: q931.CallReference{Value: 1}, Type: q931.Setup}
		if tc.number != "" {
			q.Set(q931.Number{Digits: tc.number}.Element(q931.CalledNumberID))
		}
		require.NoError(t, h225.Attach(q, &h225.H323UserInformation{H323UUPDU: h225.H323UUPDU{H323MessageBody: h225.MessageBody{Setup: s}}}))
		m := read(t)(q.Marshal())
		assert.Equal(t, tc.want, m.Dialled())
	}
}

func recorded(t testing.TB) (out []golden.Message) {
	t.Helper()
	calls, err := golden.Load("../../testdata/h323/captures")
	require.NoError(t, err)
	for _, list := range calls {
		for _, m := range list {
			if m.Protocol == "q931" {
				out = append(out, m)
			}
		}
	}
	require.NotEmpty(t, out)
	return out
}

// The messages of recorded calls are read, and none of their prefixes is fatal.
func TestRecordedMessages(t *testing.T) {
	for _, r := range recorded(t) {
		m, err := callsig.Parse(r.Data)
		require.NoError(t, err, r)
		require.NoError(t, m.Err, r)
		if m.Type() == q931.Setup {
			assert.NotNil(t, m.CallID, r)
			assert.NotEmpty(t, m.Source().Alias, r)
		}
		for n := range r.Data {
			if m, err := callsig.Parse(r.Data[:n]); err == nil && m.Err == nil {
				t.Errorf("%s: a prefix of %d octets of %d is taken for the whole", r, n, len(r.Data))
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, m := range recorded(f) {
		f.Add(m.Data)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := callsig.Parse(payload)
		if err != nil {
			return
		}
		_, _, _, _ = m.Dialled(), m.Source(), m.Cause(), m.Digits()
		for _, compose := range []func() ([]byte, error){
			func() ([]byte, error) { return callsig.Refusal(m, 1, nil, "") },
			func() ([]byte, error) { return callsig.IdleStatus(m) },
			func() ([]byte, error) { return callsig.Incoming(m, self).Connect(carry) },
		} {
			payload, err := compose()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := callsig.Parse(payload); err != nil || again.Err != nil {
				t.Fatalf("what we send cannot be read: %v %v", err, again)
			}
		}
	})
}
