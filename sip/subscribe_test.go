package sip_test

import (
	"context"
	"encoding/xml"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip"
	"github.com/roomgate/roomgate/sip/conference"
)

// roster is a meeting whose users the test changes.
type roster struct {
	mu    sync.Mutex
	users []conference.User
	gone  bool
}

func (r *roster) set(gone bool, users ...conference.User) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users, r.gone = users, gone
}

func (r *roster) Conference(_ context.Context, alias string, asks call.Remote) (*conference.Meeting, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case asks.Alias == "stranger":
		return nil, false
	case alias != "88001" || r.gone:
		return nil, true
	}
	return &conference.Meeting{Name: "Giao ban", Users: r.users}, true
}

// told is a document, as somebody else would read it.
type told struct {
	Entity  string `xml:"entity,attr"`
	State   string `xml:"state,attr"`
	Version int    `xml:"version,attr"`
	Count   int    `xml:"conference-state>user-count"`
	Users   []struct {
		Entity string   `xml:"entity,attr"`
		State  string   `xml:"state,attr"`
		Name   string   `xml:"display-text"`
		Types  []string `xml:"endpoint>media>type"`
	} `xml:"users>user"`
}

// notified takes a NOTIFY and answers it.
func (w *wire) notified(status string) (reply, told) {
	w.t.Helper()
	n := w.expect("NOTIFY")
	var lines []string
	for _, h := range []string{"Via", "From", "To", "Call-Id", "Cseq"} {
		lines = append(lines, h+": "+n.header.Get(h))
	}
	_, err := w.conn.Write([]byte("SIP/2.0 " + status + "\r\n" + strings.Join(lines, "\r\n") + "\r\nContent-Length: 0\r\n\r\n"))
	require.NoError(w.t, err)
	var doc told
	if n.body != "" {
		require.Equal(w.t, conference.ContentType, n.header.Get("Content-Type"))
		require.NoError(w.t, xml.Unmarshal([]byte(n.body), &doc))
		require.Contains(w.t, n.body, `xmlns="urn:ietf:params:xml:ns:conference-info"`)
	}
	return n, doc
}

func conferencing(r *roster) func(*sip.Config) {
	return func(c *sip.Config) { c.Conferences, c.ConferenceEvery = r, 20*time.Millisecond }
}

var (
	lan = conference.User{Entity: "sip:lan@x", Name: "Lan", Status: conference.Connected, Media: []conference.Medium{{ID: 1, Type: "audio", Direction: "sendrecv"}}}
	hoa = conference.User{Entity: "sip:hoa@x", Name: "Hòa & <Bình>", Status: conference.Connected, Called: true}
)

// A subscriber is told the whole roster, then what changes, until the end of it.
func TestConferenceEvents(t *testing.T) {
	r := &roster{users: []conference.User{lan}}
	a := start(t, conferencing(r))
	w := newWire(t, a)
	w.request("SUBSCRIBE", 1, "", "", "Event: conference;id=7", "Accept: application/conference-info+xml", "Expires: 600")
	ok := w.final("1 SUBSCRIBE")
	require.Equal(t, 200, ok.status)
	require.Equal(t, "600", ok.header.Get("Expires"))
	require.Contains(t, ok.header.Get("Contact"), ";isfocus")
	w.to = tagOf.FindStringSubmatch(ok.header.Get("To"))[1]
	n, doc := w.notified("200 OK")
	require.Equal(t, "conference;id=7", n.header.Get("Event"))
	require.True(t, strings.HasPrefix(n.header.Get("Subscription-State"), "active;expires="), n.header.Get("Subscription-State"))
	require.Equal(t, "full", doc.State)
	require.Equal(t, 1, doc.Version)
	require.Equal(t, 1, doc.Count)
	require.Len(t, doc.Users, 1)
	require.Equal(t, []string{"audio"}, doc.Users[0].Types)

	r.set(false, lan, hoa)
	_, doc = w.notified("200 OK")
	require.Equal(t, "partial", doc.State)
	require.Equal(t, 2, doc.Version)
	require.Equal(t, 2, doc.Count)
	require.Len(t, doc.Users, 1)
	require.Equal(t, "Hòa & <Bình>", doc.Users[0].Name)

	r.set(false, hoa)
	_, doc = w.notified("200 OK")
	require.Equal(t, "sip:lan@x", doc.Users[0].Entity)
	require.Equal(t, "deleted", doc.Users[0].State)

	w.request("SUBSCRIBE", 2, "", "", "Event: conference;id=7", "Expires: 900")
	require.Equal(t, "900", w.final("2 SUBSCRIBE").header.Get("Expires"))
	_, doc = w.notified("200 OK")
	require.Equal(t, "full", doc.State, "a refresh brings the whole")

	r.set(true)
	n, _ = w.notified("200 OK")
	require.Equal(t, "terminated;reason=noresource", n.header.Get("Subscription-State"))
	require.Eventually(t, func() bool {
		w.request("SUBSCRIBE", 3, "", "", "Event: conference;id=7")
		return w.final("3 SUBSCRIBE").status == 481
	}, patience, time.Millisecond)
}

// The NOTIFY that a SUBSCRIBE causes comes after the answer to it (RFC 6665 §4.2.1.2).
func TestAnswerComesBeforeItsNotify(t *testing.T) {
	a := start(t, conferencing(&roster{users: []conference.User{lan}}))
	w := newWire(t, a)
	w.request("SUBSCRIBE", 1, "", "", "Event: conference")
	w.to = tagOf.FindStringSubmatch(w.final("1 SUBSCRIBE").header.Get("To"))[1]
	w.notified("200 OK")
	for seq := 2; seq < 100; seq++ {
		w.request("SUBSCRIBE", seq, "", "", "Event: conference")
		r, ok := w.read()
		require.True(t, ok)
		require.Equal(t, 200, r.status, r.line)
		w.notified("200 OK")
	}
}

// Who unsubscribes, or answers that there is no subscription, is told no more.
func TestConferenceEventsEnd(t *testing.T) {
	r := &roster{users: []conference.User{lan}}
	a := start(t, conferencing(r))
	for name, end := range map[string]func(*wire){
		"unsubscribed": func(w *wire) {
			w.request("SUBSCRIBE", 2, "", "", "Event: conference", "Expires: 0")
			require.Equal(t, 200, w.final("2 SUBSCRIBE").status)
			n, _ := w.notified("200 OK")
			require.Equal(t, "terminated;reason=timeout", n.header.Get("Subscription-State"))
		},
		"forgotten": func(w *wire) {
			r.set(false, lan, hoa)
			w.notified("481 Subscription does not exist")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, a)
			w.request("SUBSCRIBE", 1, "", "", "Event: conference")
			ok := w.final("1 SUBSCRIBE")
			require.Equal(t, 200, ok.status)
			w.to = tagOf.FindStringSubmatch(ok.header.Get("To"))[1]
			w.notified("200 OK")
			end(w)
			seq := 2
			require.Eventually(t, func() bool {
				seq++
				w.request("SUBSCRIBE", seq, "", "", "Event: conference")
				r := w.final(itoa(seq) + " SUBSCRIBE")
				return r.status == 481
			}, patience, time.Millisecond)
		})
	}
	w := newWire(t, a) // asks once
	w.request("SUBSCRIBE", 1, "", "", "Event: conference", "Expires: 0")
	require.Equal(t, 200, w.final("1 SUBSCRIBE").status)
	n, doc := w.notified("200 OK")
	require.Equal(t, "terminated;reason=timeout", n.header.Get("Subscription-State"))
	require.Equal(t, "full", doc.State)
}

func itoa(n int) string { return string(rune('0' + n)) }

func TestSubscribeRefused(t *testing.T) {
	a := start(t, conferencing(&roster{}))
	plain := start(t, nil)
	for _, row := range []struct {
		name   string
		at     *agent
		extra  []string
		status int
		header string
	}{
		{"no event", a, nil, 489, "Allow-Events"},
		{"another event", a, []string{"Event: presence"}, 489, "Allow-Events"},
		{"nobody tells", plain, []string{"Event: conference"}, 489, "Allow-Events"},
		{"too brief", a, []string{"Event: conference", "Expires: 5"}, 423, "Min-Expires"},
		{"no number", a, []string{"Event: conference", "Expires: soon"}, 423, "Min-Expires"},
		{"another document", a, []string{"Event: conference", "Accept: application/pidf+xml"}, 406, "Accept"},
		{"unknown extension", a, []string{"Event: conference", "Require: eventlist"}, 420, "Unsupported"},
	} {
		w := newWire(t, row.at)
		w.request("SUBSCRIBE", 1, "", "", row.extra...)
		r := w.final("1 SUBSCRIBE")
		require.Equal(t, row.status, r.status, row.name)
		require.NotEmpty(t, r.header.Get(row.header), row.name)
	}
	w := newWire(t, a)
	w.to = "none"
	w.request("SUBSCRIBE", 1, "", "", "Event: conference")
	require.Equal(t, 481, w.final("1 SUBSCRIBE").status)
	many := newWire(t, a)
	full := false
	for i := range 40 { // of one source
		many.callID = many.callID + itoa(i%10)
		many.request("SUBSCRIBE", 1, "", "", "Event: conference")
		full = full || many.final("1 SUBSCRIBE").status == 503
	}
	require.True(t, full, "one source has as many subscriptions as it likes")
}
