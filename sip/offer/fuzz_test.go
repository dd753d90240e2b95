package offer

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzParse: any body is read or refused, and what is read can be answered by
// the rules.
func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		d, err := Parse(body, contentType)
		if err != nil {
			require.True(t, isKnown(err), "%v", err)
			return
		}
		holds(t, d, gateway())
	})
}

// FuzzAnswer: two offers in one dialog under every policy, then offers of ours
// which the same bodies answer.
func FuzzAnswer(f *testing.F) {
	f.Fuzz(func(t *testing.T, first, second []byte, setting byte) {
		local := gateway()
		local.Encryption = Policy(setting % 3)
		local.Secure = setting&4 != 0
		local.Capabilities.Hold = setting&8 != 0
		local.Extend = setting&16 != 0
		local.Mux = setting&32 != 0
		if setting&64 != 0 {
			local.Address = ourV6
		}
		if setting&128 != 0 {
			local.Floor = &LocalFloor{Transport: FloorTransports[setting%3], Port: 20006, Client: true, Server: true, Conference: 1, User: 2}
		}
		var previous *State
		for _, body := range [][]byte{first, second} {
			d, err := Parse(body, "")
			if err != nil {
				continue
			}
			if r := holds(t, d, local); r != nil {
				previous = r.State
			}
			if _, r, err := Answer(d, local, previous); err == nil {
				previous = r.State
			}
			offer, offered, err := Offer(local, previous)
			if err != nil {
				require.True(t, isKnown(err), "%v", err)
				continue
			}
			strict(t, offer)
			if r, err := Complete(offered, d, local); err == nil {
				previous = r.State
			} else {
				require.True(t, isKnown(err), "%v", err)
			}
		}
	})
}

// holds answers an offer and checks what must hold of every answer. Nil: it
// was refused.
func holds(t *testing.T, d *Description, local *Local) *Result {
	body, r, err := Answer(d, local, nil)
	if err != nil {
		require.True(t, isKnown(err), "%v", err)
		return nil
	}
	strict(t, body)
	answer := parsed(t, string(body))
	require.Zero(t, answer.Skipped)
	require.Len(t, answer.Sections, len(d.Sections))
	if d.Session.Origin != answer.Session.Origin {
		require.Empty(t, Check(d, answer), "%s", body)
	}
	roles := map[string]bool{}
	for _, m := range r.Media {
		require.False(t, roles[m.Stream.Role.String()], "one stream for each role")
		roles[m.Stream.Role.String()] = true
		require.True(t, isCodec(m.Stream.Send))
		switch local.Encryption {
		case Off:
			require.Equal(t, encryptionNone, m.Stream.Encryption)
		case Require:
			require.NotEqual(t, encryptionNone, m.Stream.Encryption)
		}
	}
	again, _, err := Answer(d, local, r.State)
	require.NoError(t, err)
	require.Equal(t, string(body), string(again), "the same offer gets the same answer")
	return r
}

// Offers put together at random out of the lines of real products.
func TestAnswersHoldForMixtures(t *testing.T) {
	var lines []string
	for _, tc := range vendorOffers {
		body, _ := fixture(t, tc.file)
		lines = append(lines, strings.Split(string(body), "\r\n")...)
	}
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 1))
		body := "v=0\r\no=mixture 1 1 IN IP4 192.0.2.1\r\n"
		for range random.IntN(60) {
			line := lines[random.IntN(len(lines))]
			if random.IntN(3) == 0 { // more m-lines than chance would bring
				line = fmt.Sprintf("m=%s %d %s %d %d %d", pick(random, "audio", "video", "VIDEO", "application"), random.IntN(3)*1000,
					pick(random, "RTP/AVP", "RTP/SAVP", "rtp/avpf", "UDP/TLS/RTP/SAVPF", "RTP/SAVPF"), random.IntN(20), 96+random.IntN(32), 96+random.IntN(32))
			}
			body += line + "\r\n"
		}
		d, err := Parse([]byte(body), "")
		if err != nil {
			require.True(t, isKnown(err), "%v", err)
			continue
		}
		local := gateway()
		local.Encryption = Policy(seed % 3)
		holds(t, d, local)
	}
}

func pick(random *rand.Rand, words ...string) string { return words[random.IntN(len(words))] }

// The fuzzers start from every vector; -update writes them.
func TestCorpusHoldsEveryVector(t *testing.T) {
	for i, tc := range vendorOffers {
		body, contentType := fixture(t, tc.file)
		next, _ := fixture(t, vendorOffers[(i+1)%len(vendorOffers)].file)
		for target, text := range map[string]string{
			"FuzzParse":  fmt.Sprintf("go test fuzz v1\n[]byte(%s)\nstring(%q)\n", strconv.Quote(string(body)), contentType),
			"FuzzAnswer": fmt.Sprintf("go test fuzz v1\n[]byte(%s)\n[]byte(%s)\nbyte('\\x%02x')\n", strconv.Quote(string(body)), strconv.Quote(string(next)), i),
		} {
			path := filepath.Join("testdata", "fuzz", target, strings.TrimSuffix(tc.file, filepath.Ext(tc.file)))
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			}
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, text, string(got))
		}
	}
}
