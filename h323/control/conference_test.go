package control

import (
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
)

func TestConferenceRequests(t *testing.T) {
	s := newSide(t, "ours", 1, Config{Capabilities: everything(), Identity: Identity{Name: "Room 1"}})
	now := time.Unix(1000, 0)
	s.hears(now, &h245.IndicationMessage{ConferenceIndication: &h245.ConferenceIndication{TerminalNumberAssign: &h245.TerminalLabel{MCUNumber: 3, TerminalNumber: 4}}})
	if e, ok := last[Numbered](s); !ok || e != (Numbered{3, 4}) {
		t.Errorf("%+v", e)
	}
	label := &h245.TerminalLabel{MCUNumber: 3, TerminalNumber: 9}
	for _, c := range []struct {
		name string
		asks h245.ConferenceRequest
		ok   func(*h245.ConferenceResponse) bool
	}{
		{"who is it", h245.ConferenceRequest{RequestTerminalID: label}, func(r *h245.ConferenceResponse) bool {
			return r.TerminalIDResponse != nil && string(r.TerminalIDResponse.TerminalID) == "Room 1" && r.TerminalIDResponse.TerminalLabel.TerminalNumber == 9
		}},
		{"name yourself", h245.ConferenceRequest{EnterH243TerminalID: true}, func(r *h245.ConferenceResponse) bool {
			return r.TerminalIDResponse != nil && r.TerminalIDResponse.TerminalLabel.TerminalNumber == 4
		}},
		{"all names", h245.ConferenceRequest{RequestAllTerminalIDs: true}, func(r *h245.ConferenceResponse) bool {
			return r.RequestAllTerminalIDsResponse != nil && len(r.RequestAllTerminalIDsResponse.TerminalInformation) == 1
		}},
		{"the list", h245.ConferenceRequest{TerminalListRequest: true}, func(r *h245.ConferenceResponse) bool { return len(r.TerminalListResponse) == 1 }},
		{"the chair", h245.ConferenceRequest{MakeMeChair: true}, func(r *h245.ConferenceResponse) bool {
			return r.MakeMeChairResponse != nil && r.MakeMeChairResponse.DeniedChairToken
		}},
		{"drop", h245.ConferenceRequest{DropTerminal: label}, func(r *h245.ConferenceResponse) bool { return r.TerminalDropReject }},
		{"broadcast", h245.ConferenceRequest{BroadcastMyLogicalChannel: ptr(uint16(1))}, func(r *h245.ConferenceResponse) bool {
			return r.BroadcastMyLogicalChannelResponse != nil && r.BroadcastMyLogicalChannelResponse.DeniedBroadcastMyLogicalChannel
		}},
		{"a broadcaster", h245.ConferenceRequest{MakeTerminalBroadcaster: label}, func(r *h245.ConferenceResponse) bool {
			return r.MakeTerminalBroadcasterResponse != nil && r.MakeTerminalBroadcasterResponse.DeniedMakeTerminalBroadcaster
		}},
		{"a source", h245.ConferenceRequest{SendThisSource: label}, func(r *h245.ConferenceResponse) bool {
			return r.SendThisSourceResponse != nil && r.SendThisSourceResponse.DeniedSendThisSource
		}},
		{"another MC", h245.ConferenceRequest{RemoteMCRequest: &h245.RemoteMCRequest{MasterActivate: true}}, func(r *h245.ConferenceResponse) bool {
			return r.RemoteMCResponse != nil && r.RemoteMCResponse.Reject != nil
		}},
	} {
		s.hears(now, &h245.RequestMessage{ConferenceRequest: &c.asks})
		if r := s.response(); r == nil || r.ConferenceResponse == nil || !c.ok(r.ConferenceResponse) {
			t.Errorf("%s: %+v", c.name, r)
		}
		overWire(t, s.sent[len(s.sent)-1])
	}
	s.hears(now, &h245.RequestMessage{ConferenceRequest: &h245.ConferenceRequest{EnterH243Password: true}})
	if m := s.sent[len(s.sent)-1]; m.Indication == nil || m.Indication.FunctionNotSupported == nil {
		t.Errorf("a password: %+v", m)
	}
}

func TestConferenceIndications(t *testing.T) {
	p := picture(t)
	p.a.Number(p.now, 1, 7)
	p.a.Joined(p.now, 1, 8)
	p.a.Left(p.now, 1, 8)
	p.a.Seen(p.now, true)
	p.settle()
	if e, _ := last[Numbered](p.b); e != (Numbered{1, 7}) {
		t.Errorf("%+v", e)
	}
	if e, _ := last[Seen](p.b); !e.Seen {
		t.Errorf("%+v", e)
	}
	p.a.Seen(p.now, false)
	p.settle()
	if e, _ := last[Seen](p.b); e.Seen {
		t.Errorf("%+v", e)
	}
}

func TestIdentity(t *testing.T) {
	vendor := h245.NonStandardIdentifier{H221NonStandard: &h245.NonStandardIdentifierH221NonStandard{T35CountryCode: 188, ManufacturerCode: 1}}
	p := newPair(t, Config{Capabilities: everything(), Identity: Identity{Vendor: vendor, Product: "roomgate", Version: "1.0"}}, Config{Capabilities: everything()}).start()
	if e, _ := last[Product](p.b); e != (Product{"roomgate", "1.0"}) {
		t.Errorf("%+v", e)
	}
	if count[Product](p.a) != 0 {
		t.Error("told without a vendor")
	}
}
