package auth_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
)

// RRQs of 1001 with the password s3cret at 1700000000. Their hashes were checked with
// another implementation: `openssl dgst -sha1 -mac HMAC -macopt hexkey:<sha1 of s3cret>`
// over the first with its last 12 octets zero; MD5 over octets packed by hand for the
// others.
var vectors = map[auth.Method]string{
	auth.Baseline: "0e800006060008914a00070000000000010180433400000000003420000000450174070008816b000201c5" +
		"00070008816b000205c06553f0ff047cdb8179020067006b088009060031003000300031070008816b0002060060d2625f75c8418dbf55c0629b",
	auth.Password: "0e800006060008914a00070000000000010180433400000000003420000000260100184334c06553f0ff08" +
		"2a864886f70d020500808073deb2c52f5ad42cd365580d8e987bcd",
	auth.Access: "0e800006060008914a0007000000000001018043340000000000344000000031014d000a2a864886f70c0a010201" +
		"c06553f0ff10c5f0b672e2fbad4698d7474ca4d19bff017a0800310030003000310000",
}

func TestVectors(t *testing.T) {
	for method, vector := range vectors {
		datagram, err := hex.DecodeString(vector)
		require.NoError(t, err)
		who, err := receive(t, checker(newClock(), method), datagram)
		require.NoError(t, err, method)
		require.Equal(t, auth.Identity{Method: method, Sender: "1001"}, who)
		// Of a token that signs the message no bit may change, but the one that the
		// encoding leaves free.
		for i := range 8 * len(datagram) {
			changed := append([]byte(nil), datagram...)
			changed[i/8] ^= 0x80 >> (i % 8)
			if m, err := h225.ParseRAS(changed); err == nil && method == auth.Baseline {
				_, err = checker(newClock(), method).RAS(m, changed)
				require.Error(t, err, "bit %d", i)
			}
		}
	}
}

func FuzzTokens(f *testing.F) {
	for _, vector := range vectors {
		datagram, err := hex.DecodeString(vector)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(datagram)
	}
	f.Fuzz(func(t *testing.T, datagram []byte) {
		m, err := h225.ParseRAS(datagram)
		if err != nil {
			return
		}
		check := checker(newClock())
		who, err := check.RAS(m, datagram)
		if err != nil {
			_ = auth.Reason(err)
			return
		}
		if _, known := lookup(who.Sender); !known {
			t.Fatalf("believed %q", who.Sender)
		}
		if _, err := check.RAS(m, datagram); err == nil && who.Method != auth.Password {
			t.Fatal("believed twice")
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	for _, method := range auth.Methods() {
		b.Run(method.String(), func(b *testing.B) {
			now := newClock()
			datagram, err := hex.DecodeString(vectors[method])
			require.NoError(b, err)
			m, err := h225.ParseRAS(datagram)
			require.NoError(b, err)
			b.ReportAllocs()
			for range b.N {
				if _, err := checker(now, method).RAS(m, datagram); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Messages of another product, which a third one believed.
func TestRecordedTokens(t *testing.T) {
	data, err := os.ReadFile("testdata/recorded.txt")
	require.NoError(t, err)
	count := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var method, sender, message string
		var seconds int64
		_, err := fmt.Sscan(line, &method, &sender, &seconds, &message)
		require.NoError(t, err)
		datagram, err := hex.DecodeString(message)
		require.NoError(t, err)
		believe := func(password string) (auth.Identity, error) {
			return receive(t, auth.NewChecker(auth.Config{
				Methods: auth.Methods(), Now: func() time.Time { return time.Unix(seconds, 0) },
				Password: func(id string) (string, bool) { return password, id == sender },
			}), datagram)
		}
		who, err := believe("secret")
		require.NoError(t, err, line)
		require.Equal(t, method, who.Method.String())
		require.Equal(t, sender, who.Sender)
		_, err = believe("Secret")
		require.ErrorIs(t, err, auth.ErrHash)
		count[method]++
	}
	require.Equal(t, map[string]int{"h235.1": 2, "md5": 8, "cat": 4}, count)
}
