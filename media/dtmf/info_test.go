package dtmf_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/roomgate/roomgate/media/dtmf"
)

func TestParseInfo(t *testing.T) {
	ms := time.Millisecond
	for _, tc := range []struct {
		kind, body string
		digit      rune // zero: refused
		duration   time.Duration
	}{
		{"application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", '5', 160 * ms},
		{"application/dtmf-relay", "Signal=5\r\nDuration=160", '5', 160 * ms},
		{"application/dtmf-relay", "Signal= 5\r\nDuration= 160 \r\n", '5', 160 * ms},
		{"application/dtmf-relay", "signal = *\nduration = 250\n", '*', 250 * ms},
		{"Application/DTMF-Relay; charset=utf-8", "Signal=#\r\nDuration=100\r\n", '#', 100 * ms},
		{"application/dtmf-relay", "Signal=10\r\n", '*', 0},
		{"application/dtmf-relay", "Signal=11\r\n", '#', 0},
		{"application/dtmf-relay", "Signal=d\r\nDuration=x\r\n", 'D', 0},
		{"application/dtmf-relay", "Duration=90\r\nSignal=0\r\n", '0', 90 * ms},
		{"application/dtmf-relay", "Signal=1\r\nDuration=4000000000\r\n", '1', 10 * time.Second},
		{"application/dtmf-relay", "7", '7', 0},
		{"application/dtmf", "5", '5', 0},
		{"application/dtmf", "*\r\n", '*', 0},
		{"application/dtmf", "Signal=9\r\nDuration=160\r\n", '9', 160 * ms},
		{"audio/telephone-event", "5", '5', 0},
		{"audio/telephone-event", "11", '#', 0},
		{"audio/telephone-event", "Event=13\r\nDuration=200\r\n", 'B', 200 * ms},
		{"audio/telephone-event", "d=8\r\nDuration=200\r\n", '8', 200 * ms},
		{"application/dtmf", "", 0, 0},
		{"application/dtmf", "16", 0, 0},
		{"application/dtmf", "E", 0, 0},
		{"application/dtmf", "55", 0, 0},
		{"application/dtmf-relay", "Signal=\r\nDuration=160\r\n", 0, 0},
		{"application/dtmf-relay", "Signal=1\r\nSignal=2\r\n", 0, 0},
		{"application/dtmf-relay", "Duration=160\r\n", 0, 0},
		{"application/media_control+xml", "5", 0, 0},
		{"", "5", 0, 0},
		{"application/dtmf", strings.Repeat(" ", 300) + "5", 0, 0},
	} {
		digit, duration, err := dtmf.ParseInfo(tc.kind, []byte(tc.body))
		if digit != tc.digit || duration != tc.duration || (err == nil) != (tc.digit != 0) {
			t.Errorf("%s %q: %q, %v, %v", tc.kind, tc.body, digit, duration, err)
		}
		if err != nil && !errors.Is(err, dtmf.ErrNotInfo) {
			t.Errorf("%s %q: %v", tc.kind, tc.body, err)
		}
	}
}

// Every digit comes back from each form.
func TestFormatInfo(t *testing.T) {
	for _, form := range []dtmf.Form{dtmf.Relay, dtmf.Bare, dtmf.TelephoneEvent} {
		for _, want := range "0123456789ABCD*#" {
			kind, body, err := dtmf.FormatInfo(form, want, 160*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := dtmf.ParseInfo(kind, body)
			if got != want || err != nil {
				t.Errorf("form %d: %q comes back as %q, %v", form, want, got, err)
			}
		}
		if _, _, err := dtmf.FormatInfo(form, 'x', 0); err == nil {
			t.Error("x is a digit")
		}
	}
	if _, _, err := dtmf.FormatInfo(99, '1', 0); err == nil {
		t.Error("form 99 is known")
	}
}

func FuzzParseInfo(f *testing.F) {
	f.Add("application/dtmf-relay", []byte("Signal= 5\r\nDuration=160\r\n"))
	f.Add("application/dtmf", []byte("5"))
	f.Add("audio/telephone-event", []byte("Event=11"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		digit, duration, err := dtmf.ParseInfo(kind, body)
		if err != nil {
			return
		}
		if !strings.ContainsRune("0123456789ABCD*#", digit) || duration < 0 || duration > 10*time.Second {
			t.Errorf("%q, %v", digit, duration)
		}
	})
}
