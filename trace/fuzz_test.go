package trace_test

import (
	"testing"

	"github.com/roomgate/roomgate/trace"
)

// Whatever comes, masking keeps its length and is stable.
func FuzzMask(f *testing.F) {
	f.Add([]byte("INVITE sip:88001*4711@gw SIP/2.0\r\nAuthorization: Digest response=\"6629fae4\"\r\n\r\na=crypto:1 AES inline:d0Rm|2^20\r\n"))
	f.Add([]byte("INFO sip:x@y SIP/2.0\r\nc: application/dtmf\r\n\r\n7"))
	f.Fuzz(func(t *testing.T, message []byte) {
		once := trace.Mask(message)
		if len(once) != len(message) {
			t.Fatalf("%d octets became %d", len(message), len(once))
		}
		if again := trace.Mask(once); string(again) != string(once) {
			t.Fatalf("%q, masked again, %q", once, again)
		}
	})
}
