package q931_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"

	"github.com/roomgate/roomgate/h323/internal/golden"
	"github.com/roomgate/roomgate/h323/q931"
)

// TestElements: what an element means, both ways, against octets worked out from Q.931.
func TestElements(t *testing.T) {
	user := q931.Presentation{Indicator: 1, Screening: 3}
	for _, tc := range []struct {
		octets  string // contents
		element q931.Element
		parse   func(q931.Element) (any, error)
		want    any
	}{
		{"8893", q931.Bearer{Capability: q931.UnrestrictedDigital, Rate: q931.Rate384k}.Element(), asAny(q931.ParseBearer),
			q931.Bearer{Capability: q931.UnrestrictedDigital, Rate: q931.Rate384k}},
		{"8898 8c a5", q931.VideoBearer(768000).Element(), asAny(q931.ParseBearer),
			q931.Bearer{Capability: q931.UnrestrictedDigital, Rate: q931.RateMultirate, Multiplier: 12, Layer1: q931.LayerH221}},
		{"80 90 a3", q931.Bearer{Rate: q931.Rate64k, Layer1: q931.LayerG711A}.Element(), asAny(q931.ParseBearer),
			q931.Bearer{Rate: q931.Rate64k, Layer1: q931.LayerG711A}},
		{"80 90", q931.Cause{Value: 16}.Element(), asAny(q931.ParseCause), q931.Cause{Value: 16}},
		{"8a 81 30", q931.Cause{Value: 1, Location: q931.LocationBeyondInterwork, Diagnostics: []byte{0x30}}.Element(), asAny(q931.ParseCause),
			q931.Cause{Value: 1, Location: q931.LocationBeyondInterwork, Diagnostics: []byte{0x30}}},
		{"81 31303031", q931.Number{Plan: q931.PlanE164, Digits: "1001"}.Element(q931.CalledNumberID), asAny(q931.ParseNumber),
			q931.Number{Plan: q931.PlanE164, Digits: "1001"}},
		{"11 a3 3834", q931.Number{Type: q931.NumberInternational, Plan: q931.PlanE164, Presentation: &user, Digits: "84"}.Element(q931.CallingNumberID),
			asAny(q931.ParseNumber), q931.Number{Type: q931.NumberInternational, Plan: q931.PlanE164, Presentation: &user, Digits: "84"}},
		{"82 88", q931.ProgressIndicator{Location: 2, Description: q931.InBand}.Element(), asAny(q931.ParseProgress),
			q931.ProgressIndicator{Location: 2, Description: q931.InBand}},
		{"81", q931.NotificationElement(1), asAny(q931.ParseOctet), uint8(1)},
		{"0a", q931.CallStateElement(10), asAny(q931.ParseOctet), uint8(10)},
		{"04", q931.SignalElement(q931.SignalBusy), asAny(q931.ParseOctet), q931.SignalBusy},
	} {
		want, _ := hex.DecodeString(string(bytes.ReplaceAll([]byte(tc.octets), []byte(" "), nil)))
		if !bytes.Equal(tc.element.Data, want) {
			t.Errorf("%s is % x, want % x", tc.element.ID, tc.element.Data, want)
		}
		if got, err := tc.parse(q931.Element{ID: tc.element.ID, Data: want}); err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s % x means %+v, %v; want %+v", tc.element.ID, want, got, err, tc.want)
		}
		// Short ones are refused, or mean less: never a panic.
		for n := range want {
			_, _ = tc.parse(q931.Element{ID: tc.element.ID, Data: want[:n]})
		}
	}
}

func asAny[T any](parse func(q931.Element) (T, error)) func(q931.Element) (any, error) {
	return func(e q931.Element) (any, error) { return parse(e) }
}

// TestShifts: elements of other codesets stay apart from ours and come back (Q.931 4.5.2).
func TestShifts(t *testing.T) {
	data, _ := hex.DecodeString("0802000705" + "04028893" + "9e0401aa" + "2803616263" + "96" + "0801bb" + "a1" + "98" + "080180")
	m, err := q931.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if b, ok := m.Get(q931.BearerCapabilityID); !ok || len(b.Data) != 2 {
		t.Errorf("bearer %+v", b)
	}
	if c, ok := m.Get(q931.CauseID); !ok || c.Data[0] != 0x80 {
		t.Errorf("the cause of codeset 6 is taken for ours, which a shift for one element brings: %+v", c)
	}
	again, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	back, err := q931.Parse(again)
	if err != nil || !reflect.DeepEqual(back, m) {
		t.Errorf("%x comes back as %+v, %v; was %+v", again, back, err, m)
	}
}

func TestSetKeepsOrder(t *testing.T) {
	m := &q931.Message{Type: q931.Setup, Reference: q931.CallReference{Value: 1}}
	m.Set(q931.UserUser{Discriminator: q931.X680, Information: []byte{1}}.Element())
	m.Set(q931.DisplayElement("a"))
	m.Set(q931.Bearer{}.Element())
	m.Set(q931.DisplayElement("b"))
	var order []q931.ElementID
	for _, e := range m.Elements {
		order = append(order, e.ID)
	}
	if want := []q931.ElementID{q931.BearerCapabilityID, q931.DisplayID, q931.UserUserID}; !reflect.DeepEqual(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if e, _ := m.Get(q931.DisplayID); q931.ParseDisplay(e) != "b" {
		t.Errorf("display %q", e.Data)
	}
	if r := m.Reference.Reply(); r.String() != "1/dest" || r.Reply().String() != "1" {
		t.Errorf("reply %s", r)
	}
}

func TestNoMessage(t *testing.T) {
	for text, want := range map[string]error{
		"": q931.ErrTruncated, "08": q931.ErrTruncated, "08020001": q931.ErrTruncated, "0901000105": q931.ErrProtocol,
		"0801050505": q931.ErrProtocol, "08020001050403": q931.ErrTruncated, "08020001057e00": q931.ErrTruncated, "08020001057e000501": q931.ErrTruncated,
	} {
		data, _ := hex.DecodeString(text)
		if _, err := q931.Parse(data); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
	for _, m := range []q931.Message{
		{Reference: q931.CallReference{Value: 0x8000}},
		{Elements: []q931.Element{{ID: q931.DisplayID, Data: make([]byte, 256)}}},
		{Elements: []q931.Element{{ID: q931.UserUserID, Data: make([]byte, 65536)}}},
		{Elements: []q931.Element{{ID: q931.DisplayID, Codeset: 8}}},
	} {
		if data, err := m.Marshal(); err == nil {
			t.Errorf("%+v encodes to %x", m, data)
		}
	}
}

// FuzzParse: no octets make the parser panic, and what it takes comes back from what
// it writes.
func FuzzParse(f *testing.F) {
	calls, err := golden.Load("../../testdata/h323/captures")
	if err != nil || len(calls) == 0 {
		f.Fatalf("%d recorded calls, %v", len(calls), err)
	}
	for _, messages := range calls {
		for _, m := range messages {
			if m.Protocol == "q931" && len(m.Data) < 300 {
				f.Add(m.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := q931.Parse(data)
		if err != nil {
			return
		}
		again, err := m.Marshal()
		if err != nil {
			t.Fatalf("%x parses but does not encode: %v", data, err)
		}
		back, err := q931.Parse(again)
		if err != nil || !reflect.DeepEqual(back, m) {
			t.Fatalf("%x encodes to %x, which is %+v (%v), not %+v", data, again, back, err, m)
		}
		for _, e := range m.Elements {
			_, _ = q931.ParseBearer(e)
			_, _ = q931.ParseCause(e)
			_, _ = q931.ParseNumber(e)
			_, _ = q931.ParseProgress(e)
			_, _ = q931.ParseOctet(e)
		}
		_, _ = m.UserUser()
	})
}
