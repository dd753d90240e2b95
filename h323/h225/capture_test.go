package h225_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/internal/golden"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/q931"
)

func recorded(t testing.TB) map[string][]golden.Message {
	t.Helper()
	calls, err := golden.Load("../../testdata/h323/captures")
	if err != nil || len(calls) < 13 {
		t.Fatalf("%d recorded calls, %v", len(calls), err)
	}
	return calls
}

// inner is a PER encoding found in a recorded message, with a zero of its type.
type inner struct {
	what string
	data []byte
	zero func() any
}

// unfold lists the encodings in a recorded message: RAS; the H.225.0 message of a
// Q.931 message, its tunnelled H.245 messages and its fast start channels; H.245.
func unfold(t testing.TB, m golden.Message) []inner {
	t.Helper()
	switch m.Protocol {
	case "ras":
		return []inner{{"RAS", m.Data, func() any { return new(h225.RASMessage) }}}
	case "h245":
		return []inner{{"H.245", m.Data, newH245}}
	}
	q, err := q931.Parse(m.Data)
	if err != nil {
		t.Fatalf("%s: %v", m, err)
	}
	again, err := q.Marshal()
	if err != nil || !bytes.Equal(again, m.Data) {
		t.Errorf("%s: Q.931 comes back as %x, %v; was %x", m, again, err, m.Data)
	}
	uu, err := q.UserUser()
	if err != nil {
		t.Fatalf("%s: %v", m, err)
	}
	list := []inner{{"H.225.0", uu.Information, func() any { return new(h225.H323UserInformation) }}}
	u, err := h225.FromQ931(q)
	if err != nil {
		t.Fatalf("%s: %v", m, err)
	}
	for _, control := range u.H323UUPDU.H245Control {
		list = append(list, inner{"tunnelled H.245", control, newH245})
	}
	for _, item := range fastStart(&u.H323UUPDU.H323MessageBody) {
		list = append(list, inner{"fast start", item, func() any { return new(h245.OpenLogicalChannel) }})
	}
	return list
}

func newH245() any { return new(h245.MultimediaSystemControlMessage) }

func fastStart(b *h225.MessageBody) [][]byte {
	switch {
	case b.Setup != nil:
		return b.Setup.FastStart
	case b.CallProceeding != nil:
		return b.CallProceeding.FastStart
	case b.Alerting != nil:
		return b.Alerting.FastStart
	case b.Connect != nil:
		return b.Connect.FastStart
	case b.Facility != nil:
		return b.Facility.FastStart
	}
	return nil
}

// TestCaptures: every message of the recorded calls decodes, and encodes to the
// same octets.
func TestCaptures(t *testing.T) {
	for name, messages := range recorded(t) {
		t.Run(name, func(t *testing.T) {
			count := map[string]int{}
			for _, m := range messages {
				for _, e := range unfold(t, m) {
					count[e.what]++
					value := e.zero()
					if err := per.Unmarshal(e.data, value); err != nil {
						t.Errorf("%s: %s: %v in %x", m, e.what, err, e.data)
						continue
					}
					again, err := per.Marshal(value)
					if err != nil || !bytes.Equal(again, e.data) {
						t.Errorf("%s: %s comes back as\n%x, %v; was\n%x", m, e.what, again, err, e.data)
					}
				}
			}
			t.Log(count)
		})
	}
}

// TestPrefixes: no message is whole before its last octet.
func TestPrefixes(t *testing.T) {
	seen := map[string]bool{}
	for _, messages := range recorded(t) {
		for _, m := range messages {
			for _, e := range unfold(t, m) {
				if seen[string(e.data)] || testing.Short() && len(e.data) > 500 {
					continue
				}
				seen[string(e.data)] = true
				for n := range e.data {
					_, err := per.Decode(e.data[:n], e.zero())
					var where *per.Error
					if !errors.Is(err, per.ErrTruncated) || !errors.As(err, &where) || where.Path() == "" {
						t.Fatalf("%s: %s: the first %d of %d octets: %v", m, e.what, n, len(e.data), err)
					}
				}
			}
		}
	}
}

// TestKeys: the key material of the encrypted call decodes as well.
func TestKeys(t *testing.T) {
	keys := 0
	for _, m := range recorded(t)["simp-h235"] {
		for _, e := range unfold(t, m) {
			if e.what != "tunnelled H.245" {
				continue
			}
			list, err := h245.Parse(e.data)
			if err != nil {
				t.Fatal(err)
			}
			for _, control := range list {
				keys += checkKeys(t, control)
			}
		}
	}
	if keys == 0 {
		t.Error("no encryptionSync in the encrypted call")
	}
}

func checkKeys(t *testing.T, m *h245.MultimediaSystemControlMessage) int {
	t.Helper()
	var syncs []*h245.EncryptionSync
	if m.Request != nil && m.Request.OpenLogicalChannel != nil {
		syncs = append(syncs, m.Request.OpenLogicalChannel.EncryptionSync)
	}
	if m.Response != nil && m.Response.OpenLogicalChannelAck != nil {
		syncs = append(syncs, m.Response.OpenLogicalChannelAck.EncryptionSync)
	}
	n := 0
	for _, s := range syncs {
		if s == nil {
			continue
		}
		n++
		key, err := h235.ParseKey(s.H235Key)
		if err != nil {
			t.Error(err)
			continue
		}
		again, err := key.Marshal()
		if err != nil || !bytes.Equal(again, s.H235Key) {
			t.Errorf("key comes back as %x, %v; was %x", again, err, s.H235Key)
		}
	}
	return n
}
