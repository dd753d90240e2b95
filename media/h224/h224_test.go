package h224

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/pion/rtp"
	"go.uber.org/goleak"

	"github.com/roomgate/roomgate/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var messages = []struct {
	m    Message
	wire []byte
}{
	{Message{Kind: Start, Motion: Motion{Pan: 1}, Timeout: 800 * time.Millisecond}, []byte{1, 0xc0, 0}},
	{Message{Kind: Start, Motion: Motion{Pan: -1, Tilt: 1}, Timeout: 250 * time.Millisecond}, []byte{1, 0xb0, 5}},
	{Message{Kind: Continue, Motion: Motion{Zoom: 1, Focus: -1}}, []byte{2, 0x0e}},
	{Message{Kind: Stop, Motion: Motion{Tilt: -1, Zoom: -1, Focus: 1}}, []byte{3, 0x2b}},
	{Message{Kind: SelectSource, Number: 2, Mode: 1}, []byte{4, 0x21}},
	{Message{Kind: SourceSwitched, Number: 1}, []byte{5, 0x10}},
	{Message{Kind: StorePreset, Number: 15}, []byte{6, 0xf0}},
	{Message{Kind: ActivatePreset, Number: 3}, []byte{7, 0x30}},
}

func TestMessages(t *testing.T) {
	for _, tc := range messages {
		if got := tc.m.Marshal(); !bytes.Equal(got, tc.wire) {
			t.Errorf("%+v: %x, want %x", tc.m, got, tc.wire)
		}
		got, err := ParseMessage(tc.wire)
		if err != nil || *got != tc.m {
			t.Errorf("%x: %+v, %v", tc.wire, got, err)
		}
		for n := range len(tc.wire) {
			if _, err := ParseMessage(tc.wire[:n]); err == nil {
				t.Errorf("%x: a prefix of %d octets was read", tc.wire, n)
			}
		}
	}
	if _, err := ParseMessage([]byte{9, 9, 9}); err == nil {
		t.Error("a message that does not exist was read")
	}
}

func TestFrames(t *testing.T) {
	f := &Frame{High: true, Destination: 1, Source: 2, Client: CameraControl, Whole: true, Data: []byte{3, 0x80}}
	wire := []byte{0, 0x71, 3, 0, 1, 0, 2, 1, 0xc0, 3, 0x80}
	got, err := f.Marshal()
	if err != nil || !bytes.Equal(got, wire) {
		t.Fatalf("%x, %v", got, err)
	}
	back, err := ParseFrame(wire)
	if err != nil || !reflect.DeepEqual(back, f) {
		t.Fatalf("%+v, %v", back, err)
	}
	for n := range frameHeader {
		if _, err := ParseFrame(wire[:n]); err == nil {
			t.Errorf("a prefix of %d octets was read", n)
		}
	}
	for _, bad := range [][]byte{{0, 0x21, 3, 0, 0, 0, 0, 1, 0xc0}, {0, 0x61, 0, 0, 0, 0, 0, 1, 0xc0}} {
		if _, err := ParseFrame(bad); err == nil {
			t.Errorf("%x was read", bad)
		}
	}
	if _, err := (&Frame{Data: make([]byte, 255)}).Marshal(); err == nil {
		t.Error("too much data was written")
	}
}

// stage is a conversation and what it says.
type stage struct {
	*conversation
	now   time.Time
	said  []Message
	told  []Message
	other [][]byte
}

func newStage(camera *Abilities) *stage {
	s := &stage{now: time.Unix(1000, 0)}
	s.conversation = newConversation(Config{Camera: camera, OnMessage: func(m Message) { s.told = append(s.told, m) }}, func(f *Frame) {
		if f.Client != CameraControl {
			s.other = append(s.other, f.Data)
			return
		}
		m, err := ParseMessage(f.Data)
		if err != nil {
			panic(err)
		}
		s.said = append(s.said, *m)
	})
	return s
}

// run lets time pass.
func (s *stage) run(d time.Duration) {
	end := s.now.Add(d)
	for {
		at := s.due()
		if at.IsZero() || at.After(end) {
			s.now = end
			return
		}
		s.now = at
		s.tick(at)
	}
}

func kinds(list []Message) (out []Kind) {
	for _, m := range list {
		out = append(out, m.Kind)
	}
	return out
}

func expect(t *testing.T, what string, list []Message, want ...Kind) {
	t.Helper()
	if got := kinds(list); !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// A motion is kept up while it is wanted, and stops when nobody says so any more.
func TestMotionNeedsSomebodyWhoWantsIt(t *testing.T) {
	s := newStage(nil)
	s.move(s.now, Motion{Pan: 1})
	s.run(time.Second)
	expect(t, "within a second", s.said, Start, Continue, Continue, Continue)
	s.move(s.now, Motion{Pan: 1}) // the key is still down
	s.said = nil
	s.run(time.Second)
	expect(t, "in the next", s.said, Continue, Continue, Continue)
	s.said = nil
	s.run(10 * time.Second) // who held it is gone
	expect(t, "then", s.said, Continue, Continue, Stop)
	if last := s.said[len(s.said)-1]; last.Motion != (Motion{Pan: 1}) {
		t.Errorf("what is stopped: %+v", last)
	}
	s.said = nil
	s.move(s.now, Motion{Tilt: 1})
	s.move(s.now, Motion{Tilt: -1})
	s.move(s.now, Motion{})
	s.move(s.now, Motion{})
	expect(t, "by hand", s.said, Start, Stop, Start, Stop)
	s.move(s.now, Motion{Zoom: 1})
	s.said = nil
	s.halt()
	expect(t, "at the end", s.said, Stop)
}

// Our camera stops when no Continue comes in time.
func TestCameraStopsByItself(t *testing.T) {
	s := newStage(&Abilities{Pan: true})
	hear := func(m Message) {
		s.hear(s.now, &Frame{Client: CameraControl, Whole: true, Data: m.Marshal()})
	}
	right := Motion{Pan: 1}
	hear(Message{Kind: Start, Motion: right, Timeout: 300 * time.Millisecond})
	s.run(200 * time.Millisecond)
	hear(Message{Kind: Continue, Motion: right})
	hear(Message{Kind: Continue, Motion: Motion{Tilt: 1}}) // of another motion
	s.run(700 * time.Millisecond)
	expect(t, "while it goes on", s.told, Start, Continue)
	s.run(time.Second)
	expect(t, "when nothing comes", s.told, Start, Continue, Stop)
	hear(Message{Kind: Continue, Motion: right}) // too late
	hear(Message{Kind: StorePreset, Number: 1})
	expect(t, "and after", s.told, Start, Continue, Stop, StorePreset)
}

// Both ends learn what the other's camera can do, although the first packets are lost.
func TestAbilitiesAreTold(t *testing.T) {
	a, b := newStage(nil), newStage(&Abilities{Presets: 9, Pan: true, Zoom: true})
	a.greet(a.now)
	b.greet(b.now)
	a.other, b.other = nil, nil // lost
	a.run(2 * time.Second)
	for _, data := range a.other {
		b.hear(b.now, &Frame{Client: Management, Whole: true, Data: data})
	}
	for _, data := range b.other {
		a.hear(a.now, &Frame{Client: Management, Whole: true, Data: data})
	}
	if a.far == nil || *a.far != (Abilities{Presets: 9, Pan: true, Zoom: true}) {
		t.Errorf("learned %+v", a.far)
	}
	if b.far != nil {
		t.Errorf("learned %+v of who has none", b.far)
	}
	n := len(a.other)
	a.run(time.Minute)
	if len(a.other) != n {
		t.Error("who knows still asks")
	}
	b.other = nil
	b.run(time.Minute)
	if len(b.other) > 4*greetings {
		t.Errorf("%d messages to who does not answer", len(b.other))
	}
	// A source with a name of its own (6 and above).
	got, err := parseAbilities([]byte{2, 0, 0x81, 3, 0x64, 'D', 'o', 'c', 0, 0xf0})
	if err != nil || got != (Abilities{3, true, true, true, true}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Two channels over a wire: who is steered is told within a moment, and stopped when the
// other one closes.
func TestChannels(t *testing.T) {
	told := make(chan Message, 10)
	a := NewChannel(Config{})
	b := NewChannel(Config{Camera: &Abilities{Tilt: true}, OnMessage: func(m Message) { told <- m }})
	defer b.Close()
	detach := a.Attach(b)
	defer detach()
	defer b.Attach(a)()
	deadline := time.Now().Add(5 * time.Second)
	for {
		if far, ok := a.Abilities(); ok {
			if !far.Tilt || far.Pan {
				t.Errorf("abilities %+v", far)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no abilities")
		}
	}
	a.Preset(4, true)
	a.Move(Motion{Tilt: 1})
	for _, want := range []Kind{StorePreset, Start} {
		if m := <-told; m.Kind != want {
			t.Fatalf("told %v, want %v", m.Kind, want)
		}
	}
	a.Close()
	for m := range told {
		if m.Kind == Stop {
			break
		}
	}
	if err := b.WriteRTP(&rtp.Packet{Payload: []byte{0, 0x61, 3}}); err != nil {
		t.Error(err) // what is malformed is passed over
	}
	if a.Role() != media.Camera || a.Format().Codec != media.H224 {
		t.Error("it is no track of camera control")
	}
}

func FuzzHear(f *testing.F) {
	for _, tc := range messages {
		frame, err := (&Frame{Client: CameraControl, Whole: true, Data: tc.wire}).Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame)
	}
	for _, data := range [][]byte{marshalClients(), marshalAbilities(Abilities{Presets: 3, Focus: true}), {clientList, asks}, {capabilities, asks, 1}} {
		frame, err := (&Frame{Client: Management, Whole: true, Data: data}).Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := ParseFrame(data)
		if err != nil {
			return
		}
		s := newStage(&Abilities{})
		s.hear(s.now, frame)
		s.run(time.Minute)
		if s.moving.Moving() {
			t.Fatal("the camera moves for ever")
		}
		if m, err := ParseMessage(frame.Data); err == nil && frame.Whole {
			again, err := ParseMessage(m.Marshal())
			if err != nil || *again != *m {
				t.Fatalf("%+v written and read as %+v, %v", m, again, err)
			}
		}
	})
}
