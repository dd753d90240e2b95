package auth_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/q931"
)

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newClock() *clock { return &clock{at: time.Unix(1700000000, 0)} }

var passwords = map[string]string{"1001": "s3cret", "phòng họp": "mật khẩu", "ep-17": "s3cret", "": ""}

func lookup(id string) (string, bool) {
	p, ok := passwords[id]
	return p, ok
}

func checker(c *clock, methods ...auth.Method) *auth.Checker {
	if len(methods) == 0 {
		methods = auth.Methods()
	}
	return auth.NewChecker(auth.Config{Methods: methods, Password: lookup, GeneralID: "gk", Now: c.now})
}

func text(s string) *string { return &s }

func registration() *h225.RASMessage {
	return &h225.RASMessage{RegistrationRequest: &h225.RegistrationRequest{
		RequestSeqNum: 7, ProtocolIdentifier: h225.ProtocolIdentifier,
		TerminalAlias: []h225.AliasAddress{{DialledDigits: text("1001")}},
	}}
}

func credentials(id string) auth.Credentials {
	return auth.Credentials{SendersID: id, GeneralID: "gk", Password: passwords[id]}
}

// receive decodes what was sent, as the far side does.
func receive(t testing.TB, c *auth.Checker, datagram []byte) (auth.Identity, error) {
	t.Helper()
	m, err := h225.ParseRAS(datagram)
	require.NoError(t, err)
	return c.RAS(m, datagram)
}

func TestRoundTrip(t *testing.T) {
	for _, method := range auth.Methods() {
		for _, id := range []string{"1001", "phòng họp"} {
			t.Run(fmt.Sprint(method, " ", id), func(t *testing.T) {
				now := newClock()
				signer, check := auth.NewSigner(now.now), checker(now)
				m := registration()
				datagram, err := signer.RAS(m, method, credentials(id))
				require.NoError(t, err)
				who, err := receive(t, check, datagram)
				require.NoError(t, err)
				require.Equal(t, auth.Identity{Method: method, Sender: id}, who)

				again, err := m.Marshal()
				require.NoError(t, err)
				require.Equal(t, datagram, again, "the message tells what was sent")

				// Signing again replaces the token.
				now.at = now.at.Add(time.Minute)
				datagram, err = signer.RAS(m, method, credentials(id))
				require.NoError(t, err)
				require.LessOrEqual(t, len(m.RegistrationRequest.CryptoTokens)+len(m.RegistrationRequest.Tokens), 1)
				_, err = receive(t, check, datagram)
				require.NoError(t, err)
			})
		}
	}
}

// TestEveryMessage signs each of the RAS and call signalling messages.
func TestEveryMessage(t *testing.T) {
	now := newClock()
	signer, check := auth.NewSigner(now.now), checker(now)
	each := func(sample any, then func(name string, one reflect.Value)) {
		v := reflect.ValueOf(sample).Elem()
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Type.Kind() == reflect.Pointer && f.Name != "Other" {
				then(f.Name, reflect.New(f.Type.Elem()))
			}
		}
	}
	count := 0
	each(new(h225.RASMessage), func(name string, one reflect.Value) {
		m := new(h225.RASMessage)
		reflect.ValueOf(m).Elem().FieldByName(name).Set(one)
		_, err := signer.RAS(m, auth.Baseline, credentials("1001"))
		// An empty message cannot be encoded for want of a choice; its tokens are there all
		// the same.
		require.False(t, errors.Is(err, auth.ErrNoPlace), name)
		require.Equal(t, 1, one.Elem().FieldByName("CryptoTokens").Len(), name)
		count++
	})
	each(new(h225.MessageBody), func(name string, one reflect.Value) {
		u := new(h225.H323UserInformation)
		reflect.ValueOf(&u.H323UUPDU.H323MessageBody).Elem().FieldByName(name).Set(one)
		_, err := signer.Signal(new(q931.Message), u, auth.Baseline, credentials("1001"))
		require.False(t, errors.Is(err, auth.ErrNoPlace), name)
		require.Equal(t, 1, one.Elem().FieldByName("CryptoTokens").Len(), name)
		count++
	})
	require.Equal(t, 32+12, count)
	_, err := signer.RAS(new(h225.RASMessage), auth.Baseline, credentials("1001"))
	require.ErrorIs(t, err, auth.ErrNoPlace)
	_, err = check.RAS(new(h225.RASMessage), nil)
	require.ErrorIs(t, err, auth.ErrAbsent)
}

func TestSignalling(t *testing.T) {
	now := newClock()
	signer, check := auth.NewSigner(now.now), checker(now)
	u := &h225.H323UserInformation{H323UUPDU: h225.H323UUPDU{H323MessageBody: h225.MessageBody{
		ReleaseComplete: &h225.ReleaseComplete{ProtocolIdentifier: h225.ProtocolIdentifier},
	}}}
	q := &q931.Message{Reference: q931.CallReference{Value: 5}, Type: q931.ReleaseComplete}
	q.Add(q931.DisplayElement("room"))
	wire, err := signer.Signal(q, u, auth.Baseline, credentials("1001"))
	require.NoError(t, err)

	received, err := q931.Parse(wire)
	require.NoError(t, err)
	body, err := h225.FromQ931(received)
	require.NoError(t, err)
	who, err := check.Signal(body, wire)
	require.NoError(t, err)
	require.Equal(t, "1001", who.Sender)

	// The hash is over the Q.931 elements as well.
	for i := range wire {
		changed := append([]byte(nil), wire...)
		changed[i] ^= 1
		_, err := checker(now).Signal(body, changed)
		require.Error(t, err, "octet %d", i)
	}
}

func TestRefusals(t *testing.T) {
	now := newClock()
	signer := auth.NewSigner(now.now)
	sign := func(method auth.Method, c auth.Credentials) []byte {
		datagram, err := signer.RAS(registration(), method, c)
		require.NoError(t, err)
		return datagram
	}
	for _, method := range auth.Methods() {
		t.Run(method.String(), func(t *testing.T) {
			wrong := credentials("1001")
			wrong.Password = "guess"
			_, err := receive(t, checker(now), sign(method, wrong))
			require.ErrorIs(t, err, auth.ErrHash)
			require.True(t, auth.Reason(err).SecurityIntegrityFailed)

			_, err = receive(t, checker(now), sign(method, auth.Credentials{SendersID: "2002", Password: ""}))
			require.ErrorIs(t, err, auth.ErrSender)
			require.True(t, auth.Reason2(err).SecurityWrongSendersID)

			good := sign(method, credentials("1001"))
			for _, by := range []time.Duration{auth.DefaultSkew + time.Second, -auth.DefaultSkew - time.Second} {
				late := &clock{at: now.at.Add(by)}
				_, err = receive(t, checker(late), good)
				require.ErrorIs(t, err, auth.ErrTime)
				require.True(t, auth.Reason(err).SecurityWrongSyncTime)
			}
			for _, by := range []time.Duration{auth.DefaultSkew, -auth.DefaultSkew} {
				_, err = receive(t, checker(&clock{at: now.at.Add(by)}), good)
				require.NoError(t, err)
			}

			others := auth.Methods()
			others = append(others[:method-1], others[method:]...)
			_, err = receive(t, checker(now, others...), good)
			require.ErrorIs(t, err, auth.ErrAbsent)
			require.True(t, auth.Reason(err).SecurityWrongOID)
		})
	}
	elsewhere := credentials("1001")
	elsewhere.GeneralID = "another"
	_, err := receive(t, checker(now), sign(auth.Baseline, elsewhere))
	require.ErrorIs(t, err, auth.ErrReceiver)
	require.True(t, auth.Reason(err).SecurityWrongGeneralID)
	elsewhere.GeneralID = "" // Innovaphone and AudioCodes name nobody
	_, err = receive(t, checker(now), sign(auth.Baseline, elsewhere))
	require.NoError(t, err)
}

// A token that was accepted is refused as long as its time would let it pass.
func TestReplay(t *testing.T) {
	for _, method := range auth.Methods() {
		t.Run(method.String(), func(t *testing.T) {
			now := newClock()
			start := now.at
			signer, check := auth.NewSigner(now.now), checker(now)
			datagram, err := signer.RAS(registration(), method, credentials("1001"))
			require.NoError(t, err)
			_, err = receive(t, check, datagram)
			require.NoError(t, err)

			now.at = start.Add(31 * time.Second)
			_, err = receive(t, check, datagram)
			require.ErrorIs(t, err, auth.ErrReplay)
			require.True(t, auth.Reason(err).SecurityReplay)
			// Others, and more of the same sender, do not make it forgotten.
			for i := range 600 {
				now.at = start.Add(31*time.Second + time.Duration(i)*time.Second/2)
				for _, id := range []string{"1001", "phòng họp"} {
					d, err := signer.RAS(registration(), method, credentials(id))
					require.NoError(t, err)
					_, err = receive(t, check, d)
					require.NoError(t, err)
				}
			}
			_, err = receive(t, check, datagram)
			require.ErrorIs(t, err, auth.ErrReplay)
			now.at = start.Add(auth.DefaultSkew)
			_, err = receive(t, check, datagram)
			require.ErrorIs(t, err, auth.ErrReplay)
		})
	}
}

// A token of the MD5 method is the same for all messages of a second.
func TestPasswordTokenOfOneSecond(t *testing.T) {
	now := newClock()
	signer, check := auth.NewSigner(now.now), checker(now)
	for range 3 {
		datagram, err := signer.RAS(registration(), auth.Password, credentials("1001"))
		require.NoError(t, err)
		_, err = receive(t, check, datagram)
		require.NoError(t, err)
	}
}

// The clock of a terminal that ran ahead may be put right.
func TestClockPutBack(t *testing.T) {
	now, theirs := newClock(), newClock()
	theirs.at = theirs.at.Add(9 * time.Minute)
	signer, check := auth.NewSigner(theirs.now), checker(now)
	for i := range 1000 {
		if i == 500 {
			theirs.at = now.at
		}
		now.at, theirs.at = now.at.Add(20*time.Second), theirs.at.Add(20*time.Second)
		datagram, err := signer.RAS(registration(), auth.Baseline, credentials("1001"))
		require.NoError(t, err)
		_, err = receive(t, check, datagram)
		require.NoError(t, err, i)
	}
}

// An Icon sends tokens of methods it was not told to use, among them wrong ones.
func TestTokensNobodyAskedFor(t *testing.T) {
	now := newClock()
	signer, check := auth.NewSigner(now.now), checker(now)
	m := registration()
	wrong := credentials("1001")
	wrong.Password = "of another directory"
	_, err := signer.RAS(m, auth.Access, wrong)
	require.NoError(t, err)
	m.RegistrationRequest.Tokens = append(m.RegistrationRequest.Tokens, h235.ClearToken{TokenOID: "1.2.3.4"})
	_, err = signer.RAS(m, auth.Password, wrong)
	require.NoError(t, err)
	datagram, err := signer.RAS(m, auth.Baseline, credentials("1001"))
	require.NoError(t, err)
	require.Len(t, m.RegistrationRequest.CryptoTokens, 2)
	who, err := receive(t, check, datagram)
	require.NoError(t, err)
	require.Equal(t, auth.Baseline, who.Method)
}

func TestNegotiation(t *testing.T) {
	for _, ours := range auth.Methods() {
		mechanism, algorithm := ours.Advertise()
		chosen, ok := auth.Chosen(&mechanism, &algorithm)
		require.True(t, ok)
		require.Equal(t, ours, chosen)
		named, err := auth.ParseMethod(ours.String())
		require.NoError(t, err)
		require.Equal(t, ours, named)
	}
	_, err := auth.ParseMethod("kerberos")
	require.Error(t, err)
	_, ok := auth.Chosen(nil, nil)
	require.False(t, ok)

	mechanisms, algorithms := auth.AdvertiseAll(auth.Methods())
	require.Len(t, mechanisms, 2)
	require.Len(t, algorithms, 3)
	for _, c := range []struct {
		ours []auth.Method
		want auth.Method
	}{
		{auth.Methods(), auth.Baseline},
		{[]auth.Method{auth.Access, auth.Baseline}, auth.Access},
		{[]auth.Method{auth.Password}, auth.Password},
	} {
		m, ok := auth.Choose(c.ours, mechanisms, algorithms)
		require.True(t, ok)
		require.Equal(t, c.want, m)
	}
	mechanisms, algorithms = auth.AdvertiseAll([]auth.Method{auth.Access})
	_, ok = auth.Choose([]auth.Method{auth.Baseline, auth.Password}, mechanisms, algorithms)
	require.False(t, ok)
}
