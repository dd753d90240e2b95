package control

import (
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/per/pertest"
	"github.com/roomgate/roomgate/media"
)

// A fuzzed script is a row of steps: one octet that says what, two that say how long the
// octets are which belong to it, and these.
const (
	stepReceive   = iota // H.245 messages for a
	stepFastOffer        // a channel, offered to a by fast start
	stepTick             // time passes
	stepAct              // a, or b, does something
	stepDeliver          // what a and b said to each other arrives, some of it not
	steps
)

func step(kind byte, data []byte) []byte {
	return append([]byte{kind, byte(len(data) >> 8), byte(len(data))}, data...)
}

// FuzzSession plays scripts: whatever comes, in whatever state, a session does not panic, says
// only what can be encoded, answers each message with a few at most, and remembers little.
func FuzzSession(f *testing.F) {
	for _, r := range recordings(f) {
		var script []byte
		for _, m := range r.messages {
			data, err := m.Marshal()
			if err != nil {
				f.Fatal(err)
			}
			script = append(script, step(stepReceive, data)...)
		}
		for i, o := range r.fast {
			if data, err := o.Marshal(); err == nil && i < 4 {
				script = append(step(stepFastOffer, data), script...)
			}
		}
		f.Add(script)
	}
	var acts []byte
	for i := range byte(32) {
		acts = append(acts, step(stepDeliver, []byte{i})...)
		acts = append(acts, step(stepAct, []byte{i, i})...)
		acts = append(acts, step(stepTick, []byte{i})...)
	}
	f.Add(acts)
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 1<<16 {
			return
		}
		cfg := Config{Capabilities: allCodecs(), Encryption: "prefer", Security: &fakeSecurity{algorithms: []per.OID{aes128}}, KeepAlive: time.Minute}
		p := newPair(t, cfg, Config{Capabilities: everything()})
		for len(script) >= 3 {
			kind, n := script[0]%steps, int(binary.BigEndian.Uint16(script[1:]))
			script = script[3:]
			n = min(n, len(script))
			before := len(p.a.sent)
			given := p.play(kind, script[:n])
			script = script[n:]
			for _, m := range p.a.sent[before:] {
				overWire(t, m)
			}
			if said := len(p.a.sent) - before; said > 64*(given+1) {
				t.Fatalf("%d messages after %d", said, given)
			}
			p.bounded()
			if len(p.a.sent) > 4096 {
				p.a.sent, p.a.events = nil, nil
			}
			if len(p.a.out) > 1024 {
				p.a.out = nil
			}
		}
	})
}

// play takes a step and tells how many messages it gave to a.
func (p *pair) play(kind byte, data []byte) int {
	switch kind {
	case stepReceive:
		list, _ := h245.Parse(data)
		for _, m := range list {
			p.a.Receive(p.now, m)
		}
		return len(list)
	case stepFastOffer:
		if o, err := h245.ParseOpenLogicalChannel(data); err == nil {
			p.a.AnswerFastStart(p.now, []*h245.OpenLogicalChannel{o})
		}
	case stepTick:
		if len(data) > 0 {
			p.now = p.now.Add(time.Duration(data[0]) * 100 * time.Millisecond)
		}
		p.a.Tick(p.now)
		p.b.Tick(p.now)
	case stepAct:
		if len(data) > 0 {
			p.act(data[0])
		}
	case stepDeliver:
		lose := byte(0)
		if len(data) > 0 {
			lose = data[0]
		}
		return p.deliver(lose)
	}
	return 1
}

// deliver carries what was said, without every n-th message.
func (p *pair) deliver(lose byte) (given int) {
	a, b := p.a.out, p.b.out
	p.a.out, p.b.out = nil, nil
	for i, m := range a {
		if lose == 0 || i%int(lose) != 0 {
			p.b.Receive(p.now, m)
		}
	}
	for i, m := range b {
		if lose == 0 || i%int(lose) != 1 {
			p.a.Receive(p.now, m)
			given++
		}
	}
	return given
}

// act does one of the things that a leg does.
func (p *pair) act(what byte) {
	s := p.a
	if what&1 != 0 {
		s = p.b
	}
	can := allCodecs()
	switch what >> 1 % 16 {
	case 0:
		s.Start(p.now)
	case 1:
		_ = s.RequestToken(p.now)
	case 2:
		s.ReleaseToken(p.now)
	case 3, 4:
		s.AnswerToken(p.now, what>>1%16 == 3)
	case 5:
		can.Hold = true
		_ = s.Update(p.now, can)
	case 6:
		can.Audio = can.Audio[:1]
		_ = s.Update(p.now, can)
	case 7:
		can.Video, can.Content = nil, nil
		_ = s.Update(p.now, can)
	case 8:
		_ = s.Update(p.now, can)
	case 9:
		s.RequestKeyframe(p.now, media.Main)
	case 10:
		s.LimitReceive(p.now, media.Main, 10000*int(what))
	case 11:
		_ = s.SendDigits(p.now, "1#", 0)
	case 12:
		s.Ping(p.now)
	case 13:
		s.Mute(p.now, media.Audio, what&64 != 0)
	case 14:
		s.OfferFastStart()
	case 15:
		s.Seen(p.now, true)
	}
}

// bounded checks what a session remembers.
func (p *pair) bounded() {
	p.t.Helper()
	for _, s := range []*side{p.a, p.b} {
		c := &s.channels
		if len(c.receiving) > maxReceiving || len(c.leaving) > maxLeaving || len(c.refused) > 4*maxEntries {
			p.t.Fatalf("%s remembers %d channels, %d leaving, %d refused", s.name, len(c.receiving), len(c.leaving), len(c.refused))
		}
		if r := s.remote; r != nil && (len(r.entries) > maxEntries || len(r.descriptors) > maxDescriptors) {
			p.t.Fatalf("%s keeps %d entries, %d descriptors", s.name, len(r.entries), len(r.descriptors))
		}
		for _, m := range s.Media() {
			if m.Stream.MaxSend < 0 || m.Stream.Direction.Sends() && m.Stream.Send.ClockRate == 0 {
				p.t.Fatalf("%s: %+v", s.name, m)
			}
		}
	}
}

// TestAnything gives sessions random messages of every kind, valid in PER and mostly without
// sense, between the sensible ones of a call.
func TestAnything(t *testing.T) {
	kinds := map[string]bool{}
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 7))
		fill := pertest.Filler{Rand: random, Unknown: true}
		cfg := Config{Capabilities: allCodecs(), Encryption: "prefer", Security: &fakeSecurity{algorithms: []per.OID{aes128}}, KeepAlive: time.Minute}
		p := newPair(t, cfg, Config{Capabilities: everything()})
		if seed%2 == 0 {
			p.start()
		}
		for range 60 {
			m := new(h245.MultimediaSystemControlMessage)
			if err := fill.Fill(m); err != nil {
				t.Fatal(err)
			}
			if m.Command != nil && m.Command.EndSessionCommand != nil {
				continue
			}
			note(kinds, m)
			before := len(p.a.sent)
			p.a.Receive(p.now, overWire(t, m))
			if n := len(p.a.sent) - before; n > 64 {
				t.Fatalf("%d messages after one", n)
			}
			for _, sent := range p.a.sent[before:] {
				overWire(t, sent)
			}
			p.act(byte(random.Uint32()))
			p.deliver(byte(random.IntN(8)))
			p.play(stepTick, []byte{byte(random.IntN(40))})
			p.bounded()
		}
	}
	if len(kinds) < 60 {
		t.Errorf("only %d kinds of messages came up", len(kinds))
	}
}

// note remembers which alternatives came up.
func note(kinds map[string]bool, m *h245.MultimediaSystemControlMessage) {
	for _, choice := range []any{m.Request, m.Response, m.Command, m.Indication} {
		v := reflect.ValueOf(choice)
		if v.IsNil() {
			continue
		}
		v = v.Elem()
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() {
				kinds[v.Type().Name()+"."+f.Name] = true
			}
		}
	}
}
