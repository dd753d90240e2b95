package exchange_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/ras/exchange"
)

var (
	began = time.Unix(1700000000, 0)
	here  = ras.Path{Remote: netip.MustParseAddrPort("192.0.2.1:1719")}
	there = ras.Path{Remote: netip.MustParseAddrPort("192.0.2.2:1719")}
)

func TestReplies(t *testing.T) {
	r := exchange.NewReplies(10*time.Second, 3)
	q, answer, isNew := r.Begin(began, here, 1, []byte("a"))
	require.True(t, isNew)
	require.Nil(t, answer)
	_, answer, isNew = r.Begin(began, here, 1, []byte("a"))
	require.False(t, isNew)
	require.Nil(t, answer, "it is worked on")
	r.Finish(q, []byte("answer"))
	_, answer, isNew = r.Begin(began.Add(9*time.Second), here, 1, []byte("a"))
	require.False(t, isNew)
	require.Equal(t, "answer", string(answer))

	for name, other := range map[string]func() bool{
		"other contents": func() bool { _, _, isNew := r.Begin(began, here, 1, []byte("b")); return isNew },
		"other sender":   func() bool { _, _, isNew := r.Begin(began, there, 1, []byte("a")); return isNew },
	} {
		require.True(t, other(), name)
	}
	require.Equal(t, 3, r.Len())
	_, _, isNew = r.Begin(began, there, 2, []byte("a"))
	require.True(t, isNew)
	require.Equal(t, 3, r.Len(), "the oldest had to go")
	_, _, isNew = r.Begin(began.Add(time.Minute), there, 2, []byte("a"))
	require.True(t, isNew, "its time is over")
	require.Equal(t, 1, r.Len())

	r.Finish(q, nil) // forgotten meanwhile
}

// outcome records what is told of requests.
type outcome struct {
	answer *h225.RASMessage
	err    error
	calls  int
}

func (o *outcome) done(m *h225.RASMessage, err error) { o.answer, o.err, o.calls = m, err, o.calls+1 }

func start(t *testing.T, r *exchange.Requests, kind ras.Kind, o *outcome) uint16 {
	t.Helper()
	n, err := r.Number()
	require.NoError(t, err)
	require.NotZero(t, n)
	r.Start(began, kind, n, here, kind == ras.LRQ, []byte{byte(n)}, o.done)
	return n
}

// TestRepeats: the waits double, and in the end the request has failed.
func TestRepeats(t *testing.T) {
	r := exchange.NewRequests()
	var o outcome
	n := start(t, r, ras.RRQ, &o)
	var sent []time.Duration
	for d := time.Duration(0); d <= 10*time.Second; d += 100 * time.Millisecond {
		again, failed := r.Due(began.Add(d))
		for _, s := range again {
			require.Equal(t, exchange.Sending{To: here, PDU: []byte{byte(n)}}, s)
			sent = append(sent, d)
		}
		for _, f := range failed {
			f(nil, exchange.ErrNoAnswer)
			sent = append(sent, d)
		}
	}
	require.Equal(t, []time.Duration{time.Second, 3 * time.Second, 7 * time.Second}, sent)
	require.ErrorIs(t, o.err, exchange.ErrNoAnswer)
	require.Equal(t, 1, o.calls)
	require.Zero(t, r.Len())
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name string
		kind ras.Kind
		from ras.Path
		m    *h225.RASMessage
		fits bool
		err  error
	}{
		{"confirm", ras.RRQ, here, &h225.RASMessage{RegistrationConfirm: &h225.RegistrationConfirm{}}, true, nil},
		{"from another port", ras.RRQ, ras.Path{Remote: netip.AddrPortFrom(here.Remote.Addr(), 9)}, &h225.RASMessage{RegistrationConfirm: &h225.RegistrationConfirm{}}, true, nil},
		{"from elsewhere", ras.RRQ, there, &h225.RASMessage{RegistrationConfirm: &h225.RegistrationConfirm{}}, false, nil},
		{"neighbour with many addresses", ras.LRQ, there, &h225.RASMessage{LocationConfirm: &h225.LocationConfirm{}}, true, nil},
		{"of another kind", ras.RRQ, here, &h225.RASMessage{AdmissionConfirm: &h225.AdmissionConfirm{}}, false, nil},
		{"XRS", ras.SCI, here, &h225.RASMessage{UnknownMessageResponse: &h225.UnknownMessageResponse{}}, true, exchange.ErrUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := exchange.NewRequests()
			var o outcome
			n := start(t, r, c.kind, &o)
			ras.SetNumber(c.m, n+1)
			require.Nil(t, r.Answer(began, c.from, c.m), "another number")
			ras.SetNumber(c.m, n)
			done := r.Answer(began, c.from, c.m)
			require.Equal(t, c.fits, done != nil)
			if !c.fits {
				require.Equal(t, 1, r.Len())
				return
			}
			done(c.m, nil)
			require.Equal(t, c.err, o.err)
			require.Zero(t, r.Len())
			require.Nil(t, r.Answer(began, c.from, c.m), "only once")
		})
	}
}

// TestPatience: after RIP a request is not repeated before the time it names.
func TestPatience(t *testing.T) {
	r := exchange.NewRequests()
	var o outcome
	n := start(t, r, ras.ARQ, &o)
	rip := &h225.RASMessage{RequestInProgress: &h225.RequestInProgress{RequestSeqNum: n, Delay: 8000}}
	require.Nil(t, r.Answer(began, here, rip))
	again, failed := r.Due(began.Add(7 * time.Second))
	require.Empty(t, again)
	require.Empty(t, failed)
	again, _ = r.Due(began.Add(8 * time.Second))
	require.Len(t, again, 1)
}

// pipe is a connection.
type pipe struct{ _ byte }

func (*pipe) SendRAS([]byte) error { return errors.ErrUnsupported }

func TestConnectionGone(t *testing.T) {
	r := exchange.NewRequests()
	var o, other outcome
	p := &pipe{}
	r.Start(began, ras.IRQ, 5, ras.Path{Stream: p}, false, nil, o.done)
	r.Start(began, ras.IRQ, 6, ras.Path{Stream: &pipe{}}, false, nil, other.done)
	answer := &h225.RASMessage{InfoRequestResponse: &h225.InfoRequestResponse{RequestSeqNum: 5}}
	require.Nil(t, r.Answer(began, here, answer), "not over the connection")
	for _, failed := range r.Drop(p) {
		failed(nil, exchange.ErrNoAnswer)
	}
	require.Equal(t, 1, o.calls)
	require.Zero(t, other.calls)
	require.Equal(t, 1, r.Len())
}

// TestNumbers: none is used twice at once, and there is an end to them.
func TestNumbers(t *testing.T) {
	r := exchange.NewRequests()
	seen := map[uint16]bool{}
	for {
		n, err := r.Number()
		if err != nil {
			require.ErrorIs(t, err, exchange.ErrTooMany)
			break
		}
		require.False(t, seen[n])
		seen[n] = true
		r.Start(began, ras.IRQ, n, here, false, nil, func(*h225.RASMessage, error) {})
	}
	require.Equal(t, len(seen), r.Len())
	require.False(t, seen[0])
}
