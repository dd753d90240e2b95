package control

import (
	"errors"
	"testing"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// fast sets a call up by fast start alone.
func fast(t *testing.T, a, b Config) *pair {
	t.Helper()
	p := newPair(t, a, b)
	answers := p.b.AnswerFastStart(p.now, p.a.OfferFastStart())
	if err := p.a.AcceptFastStart(p.now, answers); err != nil {
		t.Fatal(err)
	}
	p.settle()
	return p
}

func TestFastOffer(t *testing.T) {
	s := newSide(t, "caller", 1, Config{Capabilities: everything()})
	list := s.OfferFastStart()
	if len(list) != 2*5 {
		t.Fatalf("%d channels", len(list))
	}
	numbers := map[uint16]bool{}
	for i, o := range list {
		f := &o.ForwardLogicalChannelParameters
		numbers[o.ForwardLogicalChannelNumber] = true
		if receives := i%2 == 0; receives != f.DataType.NullData || receives != (o.ReverseLogicalChannelParameters != nil) {
			t.Errorf("channel %d: %+v", i, o)
		}
		if p, ok := readReverse(o); ok && (p.rtp != s.local[p.entries[0].role].RTP || p.rtcp != s.local[p.entries[0].role].RTCP) {
			t.Errorf("receives at %s, %s", p.rtp, p.rtcp)
		}
		if p, ok := readForward(o); ok && (p.rtp.IsValid() || p.rtcp != s.local[p.entries[0].role].RTCP) {
			t.Errorf("sends with %s, %s", p.rtp, p.rtcp)
		}
		data, err := o.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h245.ParseOpenLogicalChannel(data); err != nil {
			t.Fatal(err)
		}
	}
	if len(numbers) != len(list) {
		t.Errorf("%d numbers for %d channels", len(numbers), len(list))
	}
	if first, _ := readForward(list[1]); first.entries[0].format.Codec != media.Opus {
		t.Errorf("offers %s first", first.entries[0].format)
	}
	for _, policy := range []string{"require", "prefer"} {
		s := newSide(t, "caller", 1, Config{Capabilities: everything(), Encryption: policy, Security: &fakeSecurity{}})
		if list := s.OfferFastStart(); len(list) != 0 {
			t.Errorf("%s: %d channels in clear", policy, len(list))
		}
	}
}

// TestFastChoice: the called side takes the first of the caller's that it can do.
func TestFastChoice(t *testing.T) {
	for _, c := range []struct {
		caller, called []media.Codec
		want           media.Codec
	}{
		{[]media.Codec{media.PCMA, media.G722}, []media.Codec{media.G722, media.PCMA}, media.PCMA},
		{[]media.Codec{media.Opus, media.PCMU}, []media.Codec{media.G722, media.PCMU}, media.PCMU},
		{[]media.Codec{media.G7221, media.PCMU}, []media.Codec{media.G7221}, media.G7221},
	} {
		p := fast(t, Config{Capabilities: media.Capabilities{Audio: formats(c.caller...)}}, Config{Capabilities: media.Capabilities{Audio: formats(c.called...)}})
		for _, s := range []*side{p.a, p.b} {
			if m := s.Medium(media.Audio); m == nil || m.Stream.Send.Codec != c.want || m.Stream.Recv.Codec != c.want || m.Stream.Direction != media.SendRecv {
				t.Errorf("%v meets %v: %+v", c.caller, c.called, m)
			}
		}
	}
}

// TestFastKept: H.245 that follows keeps the channels, though a better codec is there, and
// changes them by the usual rules.
func TestFastKept(t *testing.T) {
	caller := media.Capabilities{Audio: formats(media.PCMA, media.G722), Video: formats(media.H264)}
	called := media.Capabilities{Audio: formats(media.G722, media.PCMA), Video: formats(media.H264)}
	p := fast(t, Config{Capabilities: caller}, Config{Capabilities: called})
	before := p.b.Medium(media.Audio).SendChannel.Number
	p.start()
	for _, s := range []*side{p.a, p.b} {
		for _, m := range s.sent {
			if m.Request != nil && (m.Request.OpenLogicalChannel != nil || m.Request.CloseLogicalChannel != nil) {
				t.Errorf("%s touches the channels", s.name)
			}
		}
	}
	if m := p.b.Medium(media.Audio); m.SendChannel.Number != before || m.Stream.Send.Codec != media.PCMA || m.Stream.Direction != media.SendRecv {
		t.Errorf("%+v", m)
	}
	p.a.hears(p.now, &h245.RequestMessage{RequestMode: &h245.RequestMode{RequestedModes: [][]h245.ModeElement{{{
		Type: h245.ModeElementType{AudioMode: &h245.AudioMode{G72264k: true}}}}}}})
	p.settle()
	if m := p.a.Medium(media.Audio); m.Stream.Send.Codec != media.G722 || p.b.Medium(media.Audio).Stream.Recv.Codec != media.G722 {
		t.Errorf("%+v", m.Stream)
	}
	p.a.RequestKeyframe(p.now, media.Main)
	p.b.LimitReceive(p.now, media.Main, 128_000)
	p.settle()
	if count[KeyframeRequested](p.b) != 1 || p.a.Medium(media.Main).Held != 128_000 {
		t.Errorf("%d requests, bound %d", count[KeyframeRequested](p.b), p.a.Medium(media.Main).Held)
	}
}

func TestFastRefused(t *testing.T) {
	p := newPair(t, Config{Capabilities: media.Capabilities{Audio: formats(media.Opus)}}, Config{Capabilities: media.Capabilities{Audio: formats(media.PCMA)}})
	offers := p.a.OfferFastStart()
	if list := p.b.AnswerFastStart(p.now, offers); list != nil {
		t.Errorf("%d channels", len(list))
	}
	if list := p.b.AnswerFastStart(p.now, nil); list != nil || count[MediaChanged](p.b) != 0 {
		t.Errorf("%d channels of none", len(list))
	}
	if err := p.a.AcceptFastStart(p.now, nil); !errors.Is(err, ErrFastStart) {
		t.Errorf("no answer: %v", err)
	}
	other := newSide(t, "other", 3, Config{Capabilities: everything()})
	answers := other.AnswerFastStart(p.now, newSide(t, "caller", 1, Config{Capabilities: media.Capabilities{Audio: formats(media.PCMU)}}).OfferFastStart())
	if err := p.a.AcceptFastStart(p.now, answers); !errors.Is(err, ErrFastStart) || p.a.Medium(media.Audio) != nil {
		t.Errorf("an answer to somebody else: %v, %+v", err, p.a.Medium(media.Audio))
	}
	p.a.RefuseFastStart()
	if err := p.a.AcceptFastStart(p.now, answers); !errors.Is(err, ErrFastStart) {
		t.Errorf("after the refusal: %v", err)
	}
}

// fakeTraversal notes which channels it is asked about.
type fakeTraversal struct {
	offered, answered, acknowledged []Channel
	heard                           int
}

func (f *fakeTraversal) parameters() []h245.GenericMessage {
	return []h245.GenericMessage{{MessageIdentifier: standard("0.0.8.460.19.0.1"), MessageContent: []h245.GenericParameter{unsignedMin(1, 7)}}}
}

func (f *fakeTraversal) Offer(c Channel) []h245.GenericMessage {
	f.offered = append(f.offered, c)
	return f.parameters()
}

func (f *fakeTraversal) Answer(c Channel, theirs []h245.GenericMessage) []h245.GenericMessage {
	f.answered = append(f.answered, c)
	f.heard += len(theirs)
	return f.parameters()
}

func (f *fakeTraversal) Acknowledged(c Channel, theirs []h245.GenericMessage) {
	f.acknowledged = append(f.acknowledged, c)
	f.heard += len(theirs)
}

// TestTraversal: the parameters of H.460.19 go with each channel, both ways.
func TestTraversal(t *testing.T) {
	for _, quick := range []bool{false, true} {
		ta, tb := &fakeTraversal{}, &fakeTraversal{}
		can := media.Capabilities{Audio: formats(media.PCMA), Video: formats(media.H264)}
		a, b := Config{Capabilities: can, Traversal: ta}, Config{Capabilities: can, Traversal: tb}
		if quick {
			fast(t, a, b)
			// Two channels either way. What the caller offers to receive is told in the answer.
			if len(ta.acknowledged) != 2 || len(ta.answered) != 2 || len(tb.acknowledged) != 2 || len(tb.answered) != 2 || ta.heard != 4 || tb.heard != 2 {
				t.Errorf("fast: %+v\n%+v", ta, tb)
			}
			continue
		}
		newPair(t, a, b).start()
		for _, f := range []*fakeTraversal{ta, tb} {
			if len(f.offered) != 2 || len(f.answered) != 2 || len(f.acknowledged) != 2 || f.heard != 4 {
				t.Errorf("slow: %+v", f)
			}
			for _, c := range f.offered {
				if !c.Sends || c.Number == 0 || c.Session == 0 {
					t.Errorf("%+v", c)
				}
			}
		}
	}
}

// TestTraversalWithoutAddress: with H.460.19 the far side may tell no address of its own.
func TestTraversalWithoutAddress(t *testing.T) {
	s, now := ready(t, Config{Capabilities: everything(), Traversal: &fakeTraversal{}}, everything(), true)
	ack := ackOf(s.opened(media.Audio))
	ack.OpenLogicalChannelAck.ForwardMultiplexAckParameters.H2250LogicalChannelAckParameters.MediaChannel = nil
	s.hears(now, ack)
	if m := s.Medium(media.Audio); m == nil || m.RTP.IsValid() || m.Stream.Direction != media.SendOnly {
		t.Errorf("%+v", m)
	}
}
