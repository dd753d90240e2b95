package control

import (
	"errors"
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

func TestPauseAndResume(t *testing.T) {
	p := newPair(t, Config{Capabilities: everything()}, Config{Capabilities: everything()}).start()
	hold := everything()
	hold.Hold = true
	if err := p.b.Update(p.now, hold); err != nil {
		t.Fatal(err)
	}
	p.settle()
	if e, ok := last[Paused](p.a); !ok || !e.Paused || !p.a.Held() {
		t.Error("a does not know that it is paused")
	}
	for _, m := range p.a.Media() {
		if m.Stream.Direction.Sends() || !m.Stream.Direction.Receives() {
			t.Errorf("a, paused: %+v", m.Stream)
		}
	}
	for _, m := range p.b.Media() {
		if m.Stream.Direction != media.SendOnly {
			t.Errorf("b, holding: %+v", m.Stream)
		}
	}
	before, _ := p.a.Master()
	if err := p.b.Update(p.now, everything()); err != nil {
		t.Fatal(err)
	}
	p.settle()
	after, known := p.a.Master()
	other, _ := p.b.Master()
	if !known || after == other {
		t.Errorf("master before %v, after %v (%v), the other %v", before, after, known, other)
	}
	if p.a.Held() || count[Established](p.a) != 2 || len(p.a.Media()) != 2 {
		t.Fatalf("a: held %v, %d times established, %d media", p.a.Held(), count[Established](p.a), len(p.a.Media()))
	}
	for _, s := range []*side{p.a, p.b} {
		for _, m := range s.Media() {
			if m.Stream.Direction != media.SendRecv {
				t.Errorf("%s: %+v", s.name, m.Stream)
			}
		}
	}
}

// TestResumeWithoutDetermination: some take up a call again by their capabilities alone.
func TestResumeWithoutDetermination(t *testing.T) {
	p := newPair(t, Config{Capabilities: everything()}, Config{Capabilities: everything()}).start()
	before, _ := p.a.Master()
	p.a.Receive(p.now, emptySet(8))
	p.settle()
	p.a.lose = func(m *h245.MultimediaSystemControlMessage) bool {
		return m.Request != nil && m.Request.MasterSlaveDetermination != nil
	}
	full := *lastSet(p.b)
	full.SequenceNumber = 9
	p.a.hears(p.now, &h245.RequestMessage{TerminalCapabilitySet: &full})
	p.settle()
	p.pass(patience)
	if after, known := p.a.Master(); !known || after != before {
		t.Errorf("master before %v, after %v (%v)", before, after, known)
	}
	if m := p.a.Medium(media.Audio); m == nil || m.Stream.Direction != media.SendRecv || count[Failed](p.a) != 0 {
		t.Errorf("%+v, failed %d", m, count[Failed](p.a))
	}
}

// TestThirdParty moves a's call from b to c, as a gatekeeper does by the empty set (H.323
// clause 8.4.6): a hears an empty set, then another endpoint.
func TestThirdParty(t *testing.T) {
	p := newPair(t, Config{Capabilities: everything()}, Config{Capabilities: everything()}).start()
	p.a.Receive(p.now, emptySet(9))
	p.settle()
	other := everything()
	other.Audio = formats(media.PCMU)
	other.Content = nil
	p.b = newSide(t, "c", 3, Config{Capabilities: other, TerminalType: 190})
	p.start()
	if master, known := p.a.Master(); !known || master {
		t.Errorf("a is master: %v %v", master, known)
	}
	m := p.a.Medium(media.Audio)
	if m == nil || m.Stream.Send.Codec != media.PCMU || m.RTP != p.b.local[media.Audio].RTP || m.Stream.Recv.Codec != media.PCMU {
		t.Fatalf("a's audio: %+v", m)
	}
	if m := p.b.Medium(media.Main); m == nil || m.Stream.Direction != media.SendRecv {
		t.Errorf("c's video: %+v", m)
	}
}

func emptySet(sequence uint8) *h245.MultimediaSystemControlMessage {
	return &h245.MultimediaSystemControlMessage{Request: &h245.RequestMessage{TerminalCapabilitySet: &h245.TerminalCapabilitySet{
		SequenceNumber: sequence, ProtocolIdentifier: h245.ProtocolIdentifier}}}
}

// TestRejectedSet: a peer that cannot take all is told less.
func TestRejectedSet(t *testing.T) {
	can := everything()
	s := newSide(t, "ours", 1, Config{Capabilities: can})
	now := time.Unix(1000, 0)
	s.Start(now)
	var sizes []int
	for range int(reduceTooFar) {
		m := lastSet(s)
		sizes = append(sizes, len(m.CapabilityTable))
		s.Receive(now, &h245.MultimediaSystemControlMessage{Response: &h245.ResponseMessage{
			TerminalCapabilitySetReject: &h245.TerminalCapabilitySetReject{
				SequenceNumber: m.SequenceNumber, Cause: h245.TerminalCapabilitySetRejectCause{DescriptorCapacityExceeded: true},
			}}})
	}
	for i := 1; i < len(sizes); i++ {
		if sizes[i] >= sizes[i-1] {
			t.Errorf("sizes %v", sizes)
		}
	}
	if f, ok := last[Failed](s); !ok || !errors.Is(f.Err, ErrCapabilities) {
		t.Errorf("%v after %v", f.Err, sizes)
	}
}

func lastSet(s *side) (found *h245.TerminalCapabilitySet) {
	for _, m := range s.sent {
		if m.Request != nil && m.Request.TerminalCapabilitySet != nil {
			found = m.Request.TerminalCapabilitySet
		}
	}
	return found
}

func audioEntry(number uint16, codec media.Codec) h245.CapabilityTableEntry {
	c, _ := audioCapability(format(codec))
	return h245.CapabilityTableEntry{CapabilityTableEntryNumber: number, Capability: &h245.Capability{ReceiveAudioCapability: c}}
}

func videoEntry(number uint16, role media.Role) h245.CapabilityTableEntry {
	d, _ := dataType(entry{role: role, format: format(media.H264), bps: 1_000_000})
	return h245.CapabilityTableEntry{CapabilityTableEntryNumber: number, Capability: &h245.Capability{ReceiveVideoCapability: d.VideoData}}
}

func descriptor(number uint8, sets ...[]uint16) h245.CapabilityDescriptor {
	return h245.CapabilityDescriptor{CapabilityDescriptorNumber: number, SimultaneousCapabilities: sets}
}

// TestReadSet reads whole and partial sets.
func TestReadSet(t *testing.T) {
	multiplex := multiplexCapability(everything())
	whole := &h245.TerminalCapabilitySet{MultiplexCapability: multiplex,
		CapabilityTable:       []h245.CapabilityTableEntry{audioEntry(1, media.PCMA), audioEntry(2, media.PCMU), videoEntry(3, media.Main)},
		CapabilityDescriptors: []h245.CapabilityDescriptor{descriptor(1, []uint16{1, 2}, []uint16{3})}}
	r, cause := readSet(whole, nil)
	if cause != nil || len(r.entries) != 3 || len(r.descriptors) != 1 || r.empty() {
		t.Fatalf("%+v %+v", r, cause)
	}
	// Entry 1 goes, entry 2 becomes another codec, the rest stays.
	partial := &h245.TerminalCapabilitySet{CapabilityTable: []h245.CapabilityTableEntry{
		{CapabilityTableEntryNumber: 1}, audioEntry(2, media.G722)}}
	r, cause = readSet(partial, r)
	if cause != nil || len(r.entries) != 2 || r.entries[0].format.Codec != media.G722 || r.entries[1].number != 3 || len(r.descriptors) != 1 {
		t.Errorf("%+v %+v", r, cause)
	}
	if r, cause = readSet(&h245.TerminalCapabilitySet{}, r); cause != nil || !r.empty() {
		t.Errorf("the empty set: %+v %+v", r, cause)
	}
	bad := &h245.TerminalCapabilitySet{MultiplexCapability: multiplex, CapabilityTable: whole.CapabilityTable,
		CapabilityDescriptors: []h245.CapabilityDescriptor{descriptor(1, []uint16{7}, []uint16{8})}}
	if _, cause = readSet(bad, nil); cause == nil || !cause.UndefinedTableEntryUsed {
		t.Errorf("only undefined entries: %+v", cause)
	}
	bad.CapabilityDescriptors[0].SimultaneousCapabilities = [][]uint16{{7, 1}, {8}}
	if r, cause = readSet(bad, nil); cause != nil || len(r.descriptors[0]) != 1 {
		t.Errorf("some undefined entries: %+v %+v", r, cause)
	}
	many := &h245.TerminalCapabilitySet{MultiplexCapability: multiplex}
	for n := range maxEntries {
		many.CapabilityTable = append(many.CapabilityTable, audioEntry(uint16(n+1), media.PCMA))
	}
	r, _ = readSet(many, nil)
	more := &h245.TerminalCapabilitySet{CapabilityTable: []h245.CapabilityTableEntry{audioEntry(999, media.PCMA)}}
	if _, cause = readSet(more, r); cause == nil || cause.TableEntryCapacityExceeded == nil {
		t.Errorf("too many entries: %+v", cause)
	}
}

// TestSimultaneous chooses what the far side takes at once.
func TestSimultaneous(t *testing.T) {
	table := []h245.CapabilityTableEntry{
		audioEntry(1, media.PCMA), audioEntry(2, media.G722), videoEntry(3, media.Main), videoEntry(4, media.Content),
	}
	for _, c := range []struct {
		name        string
		descriptors []h245.CapabilityDescriptor
		audio       media.Codec
		main        bool
		content     bool
	}{
		{"all at once", []h245.CapabilityDescriptor{descriptor(1, []uint16{1, 2}, []uint16{3}, []uint16{4})}, media.G722, true, true},
		{"no descriptor", nil, media.G722, true, true},
		{"one video only", []h245.CapabilityDescriptor{descriptor(1, []uint16{1, 2}, []uint16{3, 4})}, media.G722, true, false},
		{"sound or picture", []h245.CapabilityDescriptor{descriptor(1, []uint16{1, 2, 3, 4})}, media.G722, false, false},
		{"the better sound without a picture", []h245.CapabilityDescriptor{
			descriptor(1, []uint16{2}), descriptor(2, []uint16{1}, []uint16{3})}, media.G722, false, false},
		{"equal sound, the second descriptor has more", []h245.CapabilityDescriptor{
			descriptor(1, []uint16{2}, []uint16{3}), descriptor(2, []uint16{2}, []uint16{3}, []uint16{4})}, media.G722, true, true},
		{"not in a descriptor", []h245.CapabilityDescriptor{descriptor(1, []uint16{1}, []uint16{3})}, media.PCMA, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSide(t, "ours", 1, Config{Capabilities: everything()})
			remote, cause := readSet(&h245.TerminalCapabilitySet{
				MultiplexCapability: multiplexCapability(everything()), CapabilityTable: table, CapabilityDescriptors: c.descriptors}, nil)
			if cause != nil {
				t.Fatal(cause)
			}
			s.remote = remote
			chosen := s.choose([roles]bool{true, true, true})
			if a := chosen[media.Audio]; a == nil || a.format.Codec != c.audio {
				t.Errorf("audio: %+v", a)
			}
			if (chosen[media.Main] != nil) != c.main || (chosen[media.Content] != nil) != c.content {
				t.Errorf("main %v, content %v", chosen[media.Main], chosen[media.Content])
			}
		})
	}
}

// TestUpdate changes what a side can do within a call.
func TestUpdate(t *testing.T) {
	for _, replaces := range []bool{true, false} {
		p := newPair(t, Config{Capabilities: everything()}, Config{Capabilities: everything()}).start()
		if !replaces {
			p.a.remote.replaces = false
		}
		less := everything()
		less.Audio = formats(media.PCMA)
		less.Video, less.Content = nil, nil
		if err := p.a.Update(p.now, less); err != nil {
			t.Fatal(err)
		}
		p.settle()
		for _, s := range []*side{p.a, p.b} {
			list := s.Media()
			if len(list) != 1 || list[0].Stream.Send.Codec != media.PCMA || list[0].Stream.Recv.Codec != media.PCMA ||
				list[0].Stream.Direction != media.SendRecv || len(list[0].Receive) != 1 {
				t.Errorf("%s, replacing %v: %+v", s.name, replaces, list)
			}
		}
	}
	s := newSide(t, "ours", 1, Config{Capabilities: everything()})
	if err := s.Update(time.Unix(1000, 0), media.Capabilities{Encryption: "maybe"}); !errors.Is(err, ErrConfig) {
		t.Errorf("nonsense is taken: %v", err)
	}
}

// TestAskedForSet: sendTerminalCapabilitySet is answered by the set.
func TestAskedForSet(t *testing.T) {
	p := newPair(t, Config{Capabilities: everything()}, Config{Capabilities: everything()}).start()
	before := lastSet(p.a).SequenceNumber
	p.a.Receive(p.now, &h245.MultimediaSystemControlMessage{Command: &h245.CommandMessage{
		SendTerminalCapabilitySet: &h245.SendTerminalCapabilitySet{GenericRequest: true}}})
	p.settle()
	if got := lastSet(p.a).SequenceNumber; got != before+1 {
		t.Errorf("sequence %d after %d", got, before)
	}
}
