package control

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/internal/golden"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/q931"
	"github.com/roomgate/roomgate/media"
)

// recording is what one side of a recorded call said to the other.
type recording struct {
	name     string
	messages []*h245.MultimediaSystemControlMessage
	fast     []*h245.OpenLogicalChannel
	setup    bool // fast came in SETUP
}

// recordings splits the recorded calls by speaker.
func recordings(t testing.TB) []*recording {
	t.Helper()
	calls, err := golden.Load("../../testdata/h323/captures")
	if err != nil || len(calls) < 13 {
		t.Fatalf("%d recorded calls, %v", len(calls), err)
	}
	var list []*recording
	for name, messages := range calls {
		found := map[string]*recording{}
		for _, m := range messages {
			if m.Protocol == "ras" {
				continue
			}
			key := fmt.Sprintf("%s %s to %s", name, m.From, m.To)
			r := found[key]
			if r == nil {
				r = &recording{name: key}
				found[key] = r
				list = append(list, r)
			}
			r.add(t, m)
		}
	}
	slices.SortFunc(list, func(a, b *recording) int { return compareText(a.name, b.name) })
	return list
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (r *recording) add(t testing.TB, m golden.Message) {
	t.Helper()
	if m.Protocol == "h245" {
		r.parse(t, m.Data)
		return
	}
	q, err := q931.Parse(m.Data)
	if err != nil {
		t.Fatal(err)
	}
	u, err := h225.FromQ931(q)
	if err != nil {
		t.Fatal(err)
	}
	body := &u.H323UUPDU.H323MessageBody
	var items [][]byte
	switch {
	case body.Setup != nil:
		items, r.setup = body.Setup.FastStart, len(body.Setup.FastStart) > 0
	case body.Connect != nil:
		items = body.Connect.FastStart
	case body.Alerting != nil:
		items = body.Alerting.FastStart
	case body.CallProceeding != nil:
		items = body.CallProceeding.FastStart
	}
	for _, item := range items {
		o, err := h245.ParseOpenLogicalChannel(item)
		if err != nil {
			t.Fatal(err)
		}
		r.fast = append(r.fast, o)
	}
	for _, item := range u.H323UUPDU.H245Control {
		r.parse(t, item)
	}
}

func (r *recording) parse(t testing.TB, data []byte) {
	t.Helper()
	list, err := h245.Parse(data)
	if err != nil {
		t.Fatalf("%s: %v", r.name, err)
	}
	r.messages = append(r.messages, list...)
}

// fakeSecurity hands out keys without protecting them.
type fakeSecurity struct {
	algorithms []per.OID
	made, read int
}

const aes128 per.OID = "2.16.840.1.101.3.4.1.2"

func (f *fakeSecurity) Algorithms() []per.OID { return f.algorithms }

func (f *fakeSecurity) NewKey(a per.OID, synch uint8) (*Key, *h245.EncryptionSync, error) {
	f.made++
	k := &Key{Algorithm: a, Synch: synch, Key: fmt.Appendf(nil, "key %d", f.made)}
	return k, &h245.EncryptionSync{SynchFlag: synch, H235Key: k.Key}, nil
}

func (f *fakeSecurity) ReadKey(a per.OID, sync *h245.EncryptionSync) (*Key, error) {
	f.read++
	return &Key{Algorithm: a, Synch: sync.SynchFlag, Key: sync.H235Key}, nil
}

// allCodecs is everything that the recorded endpoints and we have in common.
func allCodecs() media.Capabilities {
	can := everything()
	g7221 := format(media.G7221)
	g7221.Bitrate = 24000 // the first of theirs, and what they sent
	can.Audio = append(formats(media.PCMA, media.PCMU, media.G722), g7221)
	can.Video = formats(media.H264, media.H263, media.H261)
	can.Content = formats(media.H264, media.H263, media.H261)
	return can
}

// observed is what a replay brought about at any time.
type observed struct {
	sent, received [roles]media.Codec
	keys           int
	content        media.Direction
}

func (o *observed) look(s *Session) {
	for _, m := range s.Media() {
		role := m.Stream.Role
		if m.Stream.Direction.Sends() {
			o.sent[role] = m.Stream.Send.Codec
		}
		if m.Stream.Direction.Receives() {
			o.received[role] = m.Stream.Recv.Codec
		}
		if m.SendKey != nil && m.RecvKey != nil {
			o.keys++
		}
	}
}

// TestReplay lets a recorded endpoint talk to our session: every channel it opened is
// accepted, and those it acknowledges are in use.
func TestReplay(t *testing.T) {
	replayed, presented, answered := 0, 0, 0
	for _, r := range recordings(t) {
		if len(r.messages) < 6 {
			continue
		}
		replayed++
		t.Run(r.name, func(t *testing.T) {
			var s *side
			now := time.Unix(1000, 0)
			cfg := Config{Capabilities: allCodecs()}
			encrypted := hasEncryption(r)
			const aes256 per.OID = "2.16.840.1.101.3.4.1.42"
			security := &fakeSecurity{algorithms: []per.OID{aes128, aes256}}
			if encrypted {
				cfg.Encryption, cfg.Security = "require", security
			}
			s = newSide(t, "ours", 1, cfg)
			var o observed
			s.onEvent = func(e Event) {
				switch e.(type) {
				case TokenRequested:
					s.AnswerToken(now, true)
				case MediaChanged:
					o.look(s.Session)
				}
			}
			acknowledges := firstAck(r)
			if acknowledges != 0 {
				s.channels.next = acknowledges // as its peer numbered
			}
			s.Start(now)
			wants := map[media.Role]bool{}
			for _, m := range r.messages {
				now = now.Add(50 * time.Millisecond)
				if isTokenResponse(m) {
					if err := s.RequestToken(now); err != nil {
						t.Fatal(err)
					}
				}
				if m.Request != nil && m.Request.OpenLogicalChannel != nil {
					p, _ := readForward(m.Request.OpenLogicalChannel)
					if len(p.entries) > 0 {
						wants[p.entries[0].role] = true
					}
				}
				s.Receive(now, m)
			}
			for role, want := range wants {
				if want && o.received[role] == "" {
					t.Errorf("%s was opened and is not received", role)
				}
			}
			if acknowledges != 0 && o.sent[media.Audio] != firstAudio(r) {
				t.Errorf("audio is sent as %q", o.sent[media.Audio])
			}
			for _, m := range s.sent {
				if m.Response != nil && m.Response.OpenLogicalChannelReject != nil {
					t.Errorf("rejected a channel: %+v", m.Response.OpenLogicalChannelReject)
				}
				if m.Indication != nil && m.Indication.FunctionNotSupported != nil {
					t.Error("did not understand something")
				}
				overWire(t, m)
			}
			if acknowledges != 0 && wants[media.Main] && o.sent[media.Main] == "" {
				t.Error("no picture is sent")
			}
			if encrypted && o.keys == 0 {
				t.Error("no keys on both directions")
			}
			if count[TokenTaken](s) > 0 {
				presented++
				if o.received[media.Content] == "" || count[TokenReleased](s) != 1 {
					t.Errorf("presentation: %q received, %d times released", o.received[media.Content], count[TokenReleased](s))
				}
			}
			if count[TokenGranted](s) > 0 {
				answered++
				if o.sent[media.Content] == "" {
					t.Error("the token was granted and content is not sent")
				}
			}
			if ends := slices.ContainsFunc(r.messages, isEnd); ends != (count[Disconnected](s) == 1) {
				t.Errorf("%d times disconnected", count[Disconnected](s))
			}
		})
	}
	if replayed < 20 || presented < 3 || answered < 3 {
		t.Errorf("replayed %d, of which %d present and %d answer", replayed, presented, answered)
	}
}

// firstAudio is the codec of the endpoints that were left with one, and PCMA, which comes
// first everywhere else.
func firstAudio(r *recording) media.Codec {
	for name, codec := range map[string]media.Codec{"simp-g722 ": media.G722, "simp-g7221 127.0.0.20:1720 ": media.G7221, "ast-calls-fast ": media.PCMU} {
		if strings.HasPrefix(r.name, name) {
			return codec
		}
	}
	return media.PCMA
}

func hasEncryption(r *recording) bool {
	return slices.ContainsFunc(r.messages, func(m *h245.MultimediaSystemControlMessage) bool {
		return m.Request != nil && m.Request.OpenLogicalChannel != nil &&
			m.Request.OpenLogicalChannel.ForwardLogicalChannelParameters.DataType.H235Media != nil
	})
}

// firstAck is the number of the first channel that a recorded endpoint acknowledges.
func firstAck(r *recording) uint16 {
	for _, m := range r.messages {
		if m.Response != nil && m.Response.OpenLogicalChannelAck != nil {
			return m.Response.OpenLogicalChannelAck.ForwardLogicalChannelNumber
		}
	}
	return 0
}

func isEnd(m *h245.MultimediaSystemControlMessage) bool {
	return m.Command != nil && m.Command.EndSessionCommand != nil
}

func isTokenResponse(m *h245.MultimediaSystemControlMessage) bool {
	return m.Response != nil && m.Response.GenericResponse != nil && isH239(m.Response.GenericResponse)
}

// TestReplayFastStart answers the recorded offers, and takes the recorded answers.
func TestReplayFastStart(t *testing.T) {
	offers, answers := 0, 0
	now := time.Unix(1000, 0)
	for _, r := range recordings(t) {
		if len(r.fast) == 0 {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			s := newSide(t, "ours", 1, Config{Capabilities: allCodecs()})
			if r.setup {
				offers++
				sessions := map[uint8]bool{}
				for _, o := range r.fast {
					if p, ok := readForward(o); ok {
						sessions[p.session] = true
					}
				}
				if list := s.AnswerFastStart(now, r.fast); len(list) != 2*len(sessions) {
					t.Errorf("answered %d sessions with %d channels", len(sessions), len(list))
				}
				if m := s.Medium(media.Main); sessions[sessionVideo] && (m == nil || m.Stream.Direction != media.SendRecv) {
					t.Errorf("video: %+v", m)
				}
			} else {
				answers++
				s.OfferFastStart()
				if err := s.AcceptFastStart(now, r.fast); err != nil {
					t.Error(err)
				}
			}
			m := s.Medium(media.Audio)
			if m == nil || m.Stream.Direction != media.SendRecv || m.Stream.Send.Codec != firstAudio(r) || m.Stream.Recv.Codec != firstAudio(r) {
				t.Errorf("audio: %+v", m)
			}
			if m != nil && (!m.RTP.IsValid() || !m.RTCP.IsValid()) {
				t.Errorf("audio goes to %s %s", m.RTP, m.RTCP)
			}
			if count[MediaChanged](s) != 1 {
				t.Errorf("%d times told", count[MediaChanged](s))
			}
		})
	}
	if offers == 0 || answers == 0 {
		t.Errorf("%d offers, %d answers", offers, answers)
	}
}
