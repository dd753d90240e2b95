package trace_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/roomgate/roomgate/trace"
)

func TestMask(t *testing.T) {
	const stars = "****"
	for in, secret := range map[string]string{
		"INVITE sip:88001*4711@gw SIP/2.0\r\n\r\n":                                                                                                "4711",
		"INVITE sip:88001%234711@gw SIP/2.0\r\nTo: <sip:88001#4711@gw>\r\n\r\n":                                                                   "4711",
		"REGISTER sip:x SIP/2.0\r\nAuthorization: Digest username=\"a\", nonce=\"n\", response=\"6629fae4\", cnonce=\"c0ffee\"\r\n\r\n":           "6629fae4 c0ffee",
		"INVITE sip:x@y SIP/2.0\r\nproxy-authorization: digest cnonce=\"c0ffee\",response=6629fae4\r\n\r\n":                                       "6629fae4 c0ffee",
		"INVITE sip:x@y SIP/2.0\r\n\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZ|2^20|1:32\r\na=crypto:2 AES inline:ZZZZ\r\n": "d0RmdmcmVCspeEc3QGZ ZZZZ",
		"INFO sip:x@y SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=7\r\nDuration=160\r\n":                                        "Signal=7",
		"INFO sip:x@y SIP/2.0\r\nContent-Type: application/dtmf\r\n\r\n77":                                                                        "77",
	} {
		out := string(trace.Mask([]byte(in)))
		if len(out) != len(in) {
			t.Errorf("%q became %q: another length", in, out)
		}
		for s := range strings.FieldsSeq(secret) {
			if strings.Contains(out, s) {
				t.Errorf("%q is still in %q", s, out)
			}
		}
		if !strings.Contains(out, "*") || strings.HasPrefix(out, stars) {
			t.Errorf("%q became %q", in, out)
		}
	}
	plain := "OPTIONS sip:88001@gw SIP/2.0\r\nCall-ID: response=1\r\nCSeq: 1 OPTIONS\r\n\r\n"
	if out := string(trace.Mask([]byte(plain))); out != plain {
		t.Errorf("%q became %q", plain, out)
	}
}

func TestBounds(t *testing.T) {
	now := time.Unix(1e9, 0)
	r := trace.New(trace.Limits{Calls: 3, Bytes: 100_000, First: 2, Last: 3, PerCall: 5000, Message: 100, Unclaimed: 2, KeepFor: time.Minute}, func() time.Time { return now })
	add := func(key string, n int, begins bool) {
		now = now.Add(time.Millisecond)
		r.Add(key, trace.Message{Summary: fmt.Sprint(n), Data: make([]byte, 400)}, begins)
	}
	add("stray", 0, false)
	r.Bind("stray", "none")
	if list, _, _ := r.Ladder("none"); len(list) != 0 {
		t.Errorf("what began with nothing was kept: %v", list)
	}
	for i := range 10 {
		add("a", i, true)
	}
	r.Bind("a", "A")
	add("a", 10, false)
	list, dropped, ok := r.Ladder("A")
	var got []string
	for _, m := range list {
		got = append(got, m.Summary)
		if len(m.Data) > 100 {
			t.Error("a message is too long")
		}
	}
	if want := "0 1 8 9 10"; !ok || strings.Join(got, " ") != want || dropped < 1 {
		t.Errorf("kept %v (dropped %d), want %s", got, dropped, want)
	}
	r.End("A")
	now = now.Add(2 * time.Minute)
	if _, _, ok := r.Ladder("A"); ok {
		t.Error("kept for too long")
	}
	for i := range 1000 { // a flood of calls that nobody claims, and of calls
		add(fmt.Sprint("flood", i), 0, true)
		r.AddTo(fmt.Sprint("call", i), trace.Message{Data: make([]byte, 100)})
	}
	if r.Bytes() > 100_000 {
		t.Errorf("%d bytes kept", r.Bytes())
	}
	var none *trace.Recorder
	none.Add("x", trace.Message{}, true)
	none.End("x")
	if _, _, ok := none.Ladder("x"); ok {
		t.Error("nobody knows a call")
	}
}

// Branches of one call are one ladder.
func TestForks(t *testing.T) {
	r := trace.New(trace.Limits{}, nil)
	at := time.Unix(1e9, 0)
	for i, key := range []string{"x", "y", "x"} {
		r.Add(key, trace.Message{Time: at.Add(time.Duration(i)), Summary: fmt.Sprint(i), Local: netip.MustParseAddrPort("10.0.0.1:5060")}, true)
	}
	r.Bind("y", "A")
	r.Bind("x", "A")
	list, _, _ := r.Ladder("A")
	if len(list) != 3 || list[0].Summary != "0" || list[2].Summary != "2" {
		t.Errorf("%+v", list)
	}
}
