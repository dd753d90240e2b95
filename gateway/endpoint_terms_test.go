package gateway

import (
	"testing"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
)

// shelf is a directory of one endpoint.
type shelf struct {
	Directory
	directory.Endpoint
}

func (s shelf) ByAlias(alias string) (directory.Endpoint, bool) { return s.Endpoint, alias == "room" }

// What the directory says of an endpoint counts in its calls; a call can lower it, and
// state what it leaves open.
func TestTermsOfEndpoints(t *testing.T) {
	g := &Gateway{in: Config{Directory: shelf{Endpoint: directory.Endpoint{
		Bandwidth: 1024, Layout: "2x2", Vendor: "legacy", Quirks: []string{"-no-opus", "no-g722"},
		Treatment: directory.Treatment{
			MCU: true, ContentMaster: directory.Here, Digits: ",1#", Redials: 3, Longest: 60,
			Forbidden: []directory.Deed{directory.Presents},
		},
	}}}}
	none := g.termsOf("nobody")
	if none.Rate != 0 || none.MCU || none.unit().NoContent {
		t.Errorf("of nobody: %+v", none)
	}
	own := g.termsOf("room").asked(DialRequest{})
	if own.Rate != 1024 || own.Longest != time.Minute || own.Redials != 3 || own.Digits != ",1#" || own.layout != layout.Grid2 || own.TerminalType != 240 {
		t.Errorf("its own: %+v", own)
	}
	if u := own.unit(); !u.MCU || !u.Ours || u.Theirs || !u.NoContent {
		t.Errorf("unit %+v", u)
	}
	zero := 0
	asked := g.termsOf("room").asked(DialRequest{
		Rate: 2048, Longest: time.Second, Digits: "2", Layout: "3x3", ContentMaster: directory.There, Redials: &zero,
	}).within(MeetingSpec{Bandwidth: 768})
	if asked.Rate != 768 || asked.Longest != time.Second || asked.Redials != 0 || asked.Digits != "2" || asked.layout != layout.Grid3 || asked.TerminalType != 60 {
		t.Errorf("asked: %+v", asked)
	}
	if u := asked.unit(); u.Ours || !u.Theirs {
		t.Errorf("unit %+v", u)
	}
	if stated := g.termsOf("room").asked(DialRequest{TerminalType: 190}); stated.TerminalType != 190 {
		t.Errorf("terminal type %d", stated.TerminalType)
	}

	all := media.Capabilities{
		Audio:   []media.Format{{Codec: media.Opus}, {Codec: media.G722}, {Codec: media.PCMU}},
		Video:   []media.Format{{Codec: media.H264, H264: media.H264Format{PacketizationMode: 1}}, {Codec: media.H264}, {Codec: media.H263}},
		Content: []media.Format{{Codec: media.H264}}, Keypad: true, Camera: true, Encryption: "require",
	}
	got := own.limit(all)
	if len(got.Audio) != 2 || got.Audio[0].Codec != media.Opus || len(got.Video) != 2 || got.Content != nil || got.Camera || got.Rate != 1_024_000 {
		t.Errorf("quirks leave %+v", got)
	}
	if minimal := withQuirks(all, quirksOf("minimal", nil)); minimal.Keypad || minimal.Encryption != "require" {
		t.Errorf("minimal: %+v", minimal)
	}
	all.Encryption = "prefer"
	if minimal := withQuirks(all, quirksOf("minimal", nil)); minimal.Encryption != "off" {
		t.Errorf("minimal, where it may: %+v", minimal)
	}
	if phone := withQuirks(all, quirksOf("phone", nil)); phone.Video != nil || phone.Content != nil || len(phone.Audio) != 3 {
		t.Errorf("phone: %+v", phone)
	}
	for vendor, quirks := range profiles {
		for _, q := range quirks {
			if switches[q] == nil {
				t.Errorf("%s: there is no switch %s", vendor, q)
			}
		}
	}
}

// A far side that says of itself that it joins several is an MCU; who calls in so is
// content master, if the directory does not say otherwise.
func TestTermsOfTheFarSide(t *testing.T) {
	focus := func(d call.Direction, yes bool) call.Info {
		return call.Info{Direction: d, Remote: call.Remote{Focus: yes}}
	}
	if got := (Terms{}).facing(focus(call.In, false)); got.MCU || got.ContentMaster != "" {
		t.Errorf("a terminal: %+v", got)
	}
	if got := (Terms{}).facing(focus(call.In, true)); !got.MCU || got.ContentMaster != directory.There {
		t.Errorf("in: %+v", got)
	}
	if got := (Terms{}).facing(focus(call.Out, true)); !got.MCU || got.ContentMaster != "" {
		t.Errorf("out: %+v", got)
	}
	said := Terms{Treatment: directory.Treatment{MCU: true, ContentMaster: directory.Here}}
	if got := said.facing(focus(call.In, true)); got.ContentMaster != directory.Here {
		t.Errorf("said: %+v", got)
	}
}
