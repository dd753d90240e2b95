package control

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media"
)

// TestCombinations lets two sessions meet in every way a call begins, with every codec and
// policy of encryption, and compares what either side believes.
func TestCombinations(t *testing.T) {
	starts := []string{"slow", "fast", "fast then slow", "fast refused", "one starts"}
	policies := []string{"off", "prefer", "require"}
	codecs := []media.Codec{media.PCMA, media.G722, media.G7221, media.Opus}
	videos := []media.Codec{"", media.H264, media.H263, media.H263Plus, media.H261}
	for _, start := range starts {
		for _, pa := range policies {
			for _, pb := range policies {
				for i, audio := range codecs {
					video := videos[i%len(videos)]
					t.Run(fmt.Sprintf("%s, %s and %s, %s %s", start, pa, pb, audio, video), func(t *testing.T) {
						meet(t, start, pa, pb, audio, video)
					})
				}
			}
		}
	}
	for _, video := range videos {
		meet(t, "slow", "off", "off", media.PCMU, video)
	}
}

func meet(t *testing.T, start, policyA, policyB string, audio, video media.Codec) {
	t.Helper()
	config := func(policy string) Config {
		can := media.Capabilities{Audio: formats(audio, media.PCMU), MaxVideo: 768_000, Keypad: true}
		if video != "" {
			can.Video = formats(video)
		}
		c := Config{Capabilities: can, Encryption: policy}
		if policyA != "off" && policyB != "off" { // otherwise signalling agreed on nothing
			c.Security = &fakeSecurity{algorithms: []per.OID{aes128}}
		}
		return c
	}
	p := newPair(t, config(policyA), config(policyB))
	begin(p, start)
	if policyA != policyB && (policyA == "off" && policyB == "require" || policyA == "require" && policyB == "off") {
		for _, s := range []*side{p.a, p.b} {
			for _, m := range s.Media() {
				if m.Stream.Direction != media.Inactive {
					t.Errorf("%s: media in clear: %+v", s.name, m.Stream)
				}
			}
		}
		return
	}
	agree(t, p, audio, video, policyA != "off" && policyB != "off")
}

func begin(p *pair, start string) {
	p.t.Helper()
	if start != "slow" && start != "one starts" {
		offers := p.a.OfferFastStart()
		answers := p.b.AnswerFastStart(p.now, offers)
		switch {
		case start == "fast refused":
			p.b = newSide(p.t, "b", 2, p.b.cfg)
			p.a.RefuseFastStart()
		case len(answers) > 0:
			if err := p.a.AcceptFastStart(p.now, answers); err != nil {
				p.t.Fatal(err)
			}
		}
		if start == "fast" && len(answers) > 0 {
			p.settle()
			return
		}
	}
	if start == "one starts" {
		p.a.Start(p.now)
		p.settle()
		return
	}
	p.start()
}

// agree compares both sides' media.
func agree(t *testing.T, p *pair, audio, video media.Codec, encrypted bool) {
	t.Helper()
	for _, s := range []*side{p.a, p.b} {
		if f, failed := last[Failed](s); failed {
			t.Errorf("%s failed: %v", s.name, f.Err)
		}
	}
	codecs := map[media.Role]media.Codec{media.Audio: audio}
	if video != "" {
		codecs[media.Main] = video
	}
	for role, codec := range codecs {
		a, b := p.a.Medium(role), p.b.Medium(role)
		if a == nil || b == nil {
			t.Errorf("%s: %v, %v", role, a, b)
			continue
		}
		compareOneWay(t, a, b, p.b.local[role], codec, encrypted)
		compareOneWay(t, b, a, p.a.local[role], codec, encrypted)
	}
}

// compareOneWay compares what one side sends with what the other receives.
func compareOneWay(t *testing.T, from, to *Medium, local Transport, codec media.Codec, encrypted bool) {
	t.Helper()
	if from.Stream.Direction != media.SendRecv || from.Stream.Send.Codec != codec || to.Stream.Recv.Codec != codec {
		t.Errorf("%s: %+v, received as %s", from.Stream.Role, from.Stream, to.Stream.Recv)
	}
	if from.Stream.Send.PayloadType != to.Stream.Recv.PayloadType || from.SendChannel.Number != to.RecvChannel.Number || from.SendChannel.Session != to.RecvChannel.Session {
		t.Errorf("%s: sent as %d in %+v, received as %d in %+v", from.Stream.Role,
			from.Stream.Send.PayloadType, from.SendChannel, to.Stream.Recv.PayloadType, to.RecvChannel)
	}
	if from.RTP != local.RTP || from.RTCP != local.RTCP {
		t.Errorf("%s goes to %s, %s", from.Stream.Role, from.RTP, from.RTCP)
	}
	switch {
	case !encrypted:
		if from.SendKey != nil || to.RecvKey != nil || from.Stream.Encryption != "none" {
			t.Errorf("%s is encrypted", from.Stream.Role)
		}
	case from.SendKey == nil || to.RecvKey == nil || !bytes.Equal(from.SendKey.Key, to.RecvKey.Key) ||
		from.SendKey.Synch != to.RecvKey.Synch || from.Stream.Send.PayloadType < firstDynamic || from.Stream.Encryption != "h235":
		t.Errorf("%s: keys %+v and %+v for %+v", from.Stream.Role, from.SendKey, to.RecvKey, from.Stream)
	}
}

// TestEncryptionRequired: without a secret the session fails rather than speak in clear.
func TestEncryptionRequired(t *testing.T) {
	p := newPair(t, Config{Capabilities: everything(), Encryption: "require"}, Config{Capabilities: everything()}).start()
	if f, ok := last[Failed](p.a); !ok || !errors.Is(f.Err, ErrEncryption) {
		t.Errorf("a: %v", f.Err)
	}
	if len(p.b.Media()) != 0 {
		t.Errorf("b: %+v", p.b.Media())
	}
}

// TestDissimilar: either direction takes what the receiver can do.
func TestDissimilar(t *testing.T) {
	a := media.Capabilities{Audio: formats(media.G722, media.PCMA), Video: formats(media.H264)}
	b := media.Capabilities{Audio: formats(media.PCMA, media.G722)}
	p := newPair(t, Config{Capabilities: a}, Config{Capabilities: b}).start()
	if m := p.a.Medium(media.Audio); m.Stream.Send.Codec != media.G722 || m.Stream.Recv.Codec != media.PCMA {
		t.Errorf("%+v", m.Stream)
	}
	if m := p.a.Medium(media.Main); m != nil {
		t.Errorf("video to who has none: %+v", m)
	}
	c := newPair(t, Config{Capabilities: media.Capabilities{Audio: formats(media.G722)}}, Config{Capabilities: media.Capabilities{Audio: formats(media.PCMU)}}).start()
	if len(c.a.Media())+len(c.b.Media()) != 0 || count[Failed](c.a) != 0 {
		t.Errorf("nothing in common: %+v %+v", c.a.Media(), c.b.Media())
	}
}
