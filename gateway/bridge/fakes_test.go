package bridge_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/media/tone"
	"github.com/roomgate/roomgate/transcode"
)

var (
	pcmu = media.Format{Codec: media.PCMU, ClockRate: 8000, Channels: 1}
	opus = media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2, PayloadType: 111}
	h264 = media.Format{Codec: media.H264, ClockRate: 90000, PayloadType: 97, H264: media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1}}
)

// fakeTrack is a source the test feeds.
type fakeTrack struct {
	id     string
	role   media.Role
	format media.Format
	done   chan struct{}
	once   sync.Once

	mu        sync.Mutex
	writers   map[int]media.Writer
	next      int
	seq       uint16
	timestamp uint32
	keyframes int
	who       call.Participant
}

func newTrack(id string, role media.Role, f media.Format) *fakeTrack {
	return &fakeTrack{id: id, role: role, format: f, done: make(chan struct{}), writers: map[int]media.Writer{}}
}

func (t *fakeTrack) ID() string                    { return t.id }
func (t *fakeTrack) Role() media.Role              { return t.role }
func (t *fakeTrack) Format() media.Format          { return t.format }
func (t *fakeTrack) Done() <-chan struct{}         { return t.done }
func (t *fakeTrack) Participant() call.Participant { return t.who }
func (t *fakeTrack) end()                          { t.once.Do(func() { close(t.done) }) }

func (t *fakeTrack) RequestKeyframe() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keyframes++
}

func (t *fakeTrack) asked() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.keyframes
}

func (t *fakeTrack) Attach(w media.Writer) func() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next++
	n := t.next
	t.writers[n] = w
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.writers, n)
	}
}

// noisyTrack is a source whose comfort noise comes apart.
type noisyTrack struct {
	*fakeTrack
	noise *fakeTrack
}

func newNoisyTrack(id string, f media.Format) noisyTrack {
	return noisyTrack{newTrack(id, media.Audio, f), newTrack(id+" noise", media.Audio, f)}
}

// AttachNoise is what the bridge looks for.
func (t noisyTrack) AttachNoise(w media.Writer) func() { return t.noise.Attach(w) }

func (t *fakeTrack) attached() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.writers)
}

// send writes one packet of 20 ms.
func (t *fakeTrack) send(payload []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq++
	t.timestamp += t.format.ClockRate / 50
	p := &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: t.seq, Timestamp: t.timestamp}, Payload: payload}
	for _, w := range t.writers {
		_ = w.WriteRTP(p)
	}
}

// voice feeds a track with a tone.
type voice struct {
	track     *fakeTrack
	generator *tone.Generator
	encoder   mixer.Encoder
	pcm       []int16
	payload   []byte
}

func newVoice(t *testing.T, track *fakeTrack, hz float64) *voice {
	t.Helper()
	e, err := (&transcode.Codecs{}).NewEncoder(track.format, 8000)
	if err != nil {
		t.Fatal(err)
	}
	return &voice{track, tone.NewGenerator(e.Rate(), hz, -20), e, make([]int16, e.Rate()/50), make([]byte, 1500)}
}

func (v *voice) speak(t *testing.T) {
	t.Helper()
	v.generator.Read(v.pcm)
	n, err := v.encoder.Encode(v.payload, v.pcm)
	if err != nil {
		t.Fatal(err)
	}
	v.track.send(v.payload[:n])
}

// ear decodes what a peer is sent and measures it.
type ear struct {
	mu      sync.Mutex
	decoder mixer.Decoder
	meter   *tone.Meter
	packets int
}

func newEar(t *testing.T, f media.Format) *ear {
	t.Helper()
	d, err := (&transcode.Codecs{}).NewDecoder(f, 8000)
	if err != nil {
		t.Fatal(err)
	}
	return &ear{decoder: d, meter: tone.NewMeter(d.Rate())}
}

func (e *ear) WriteRTP(p *rtp.Packet) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.packets++
	pcm := make([]int16, 6000)
	n, err := e.decoder.Decode(pcm, p.Payload)
	if err != nil {
		return err
	}
	e.meter.Write(pcm[:n])
	return nil
}

// forget starts the measurement anew.
func (e *ear) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.meter = tone.NewMeter(e.decoder.Rate())
}

func (e *ear) hears() tone.Measurement {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.meter.Measure()
}

// fakePeer takes what is published to it, one track per role.
type fakePeer struct {
	t      *testing.T
	tracks chan media.Track
	done   chan struct{}

	mu        sync.Mutex
	published map[media.Role]media.Track
	ears      map[media.Role]*ear
}

func newPeer(t *testing.T) fakePeer {
	return fakePeer{t: t, tracks: make(chan media.Track, 8), done: make(chan struct{}), published: map[media.Role]media.Track{}, ears: map[media.Role]*ear{}}
}

func (p *fakePeer) Tracks() <-chan media.Track { return p.tracks }
func (p *fakePeer) Done() <-chan struct{}      { return p.done }

func (p *fakePeer) Publish(_ context.Context, t media.Track) (func(), error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.published[t.Role()] = t
	detach := func() {}
	if t.Role() == media.Audio {
		e := newEar(p.t, t.Format())
		p.ears[media.Audio] = e
		detach = t.Attach(e)
	}
	return func() {
		detach()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.published[t.Role()] == t {
			delete(p.published, t.Role())
		}
	}, nil
}

func (p *fakePeer) publishes(role media.Role) media.Track {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.published[role]
}

func (p *fakePeer) ear() *ear {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ears[media.Audio]
}

// fakeLeg is a leg with the media the test gives it.
type fakeLeg struct {
	fakePeer
	info call.Info
}

func newLeg(t *testing.T, id string, streams ...media.Stream) *fakeLeg {
	return &fakeLeg{fakePeer: newPeer(t), info: call.Info{ID: id, Streams: streams}}
}

func (l *fakeLeg) Info() call.Info {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.info
}

// says changes what the leg has negotiated.
func (l *fakeLeg) says(streams ...media.Stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.info.Streams = streams
}

func (l *fakeLeg) Progress(context.Context, call.Provisional) error { return nil }
func (l *fakeLeg) Accept(context.Context, media.Capabilities) error { return nil }
func (l *fakeLeg) Update(context.Context, media.Capabilities) error { return nil }
func (l *fakeLeg) Events() <-chan call.Event                        { return nil }
func (l *fakeLeg) Hangup(call.Cause) error                          { return nil }

func sound() media.Stream {
	return media.Stream{Role: media.Audio, Direction: media.SendRecv, Send: pcmu, Recv: pcmu}
}

func picture() media.Stream {
	return media.Stream{Role: media.Main, Direction: media.SendRecv, Send: h264, Recv: h264}
}

func describe(id string) func() call.Participant {
	return func() call.Participant {
		return call.Participant{Identity: "leg-" + id, Name: id, Kind: call.Terminal}
	}
}

// fakeSFU records who joined; join and receive may be replaced.
type fakeSFU struct {
	t         *testing.T
	join      func(who call.Participant, receive bool) error
	permanent *call.Cause

	mu        sync.Mutex
	seats     map[string]*fakeSeat
	receivers []*fakeReceiver
	roster    []call.Participant
}

func newSFU(t *testing.T) *fakeSFU { return &fakeSFU{t: t, seats: map[string]*fakeSeat{}} }

func (s *fakeSFU) Join(_ context.Context, _ string, who call.Participant, receive bool, events func(bridge.Event)) (bridge.Seat, error) {
	if s.join != nil {
		if err := s.join(who, receive); err != nil {
			return nil, err
		}
	}
	seat := &fakeSeat{fakePeer: newPeer(s.t), events: events, muted: map[media.Role]bool{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	if receive {
		seat.receiver = s.newReceiver(events)
	}
	s.seats[who.Identity] = seat
	return seat, nil
}

func (s *fakeSFU) Receive(_ context.Context, _ string, low bool, events func(bridge.Event)) (bridge.Receiver, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.newReceiver(events)
	r.low = low
	s.receivers = append(s.receivers, r)
	return r, nil
}

func (s *fakeSFU) newReceiver(events func(bridge.Event)) *fakeReceiver {
	return &fakeReceiver{roster: s.roster, events: events, tracks: make(chan media.Track, 8), subscribed: map[string]bool{}}
}

func (s *fakeSFU) Permanent(error) *call.Cause { return s.permanent }

func (s *fakeSFU) seat(identity string) *fakeSeat {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seats[identity]
}

func (s *fakeSFU) hidden() []*fakeReceiver {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*fakeReceiver(nil), s.receivers...)
}

type fakeSeat struct {
	fakePeer
	events   func(bridge.Event)
	receiver *fakeReceiver
	left     bool
	muted    map[media.Role]bool
	offered  bool        // a small size of its picture
	small    media.Track // and has it
	others   []bool      // gone, or come
}

func (s *fakeSeat) OfferSmall(_ media.Role, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offered = on
}

func (s *fakeSeat) SetSmall(_ media.Role, t media.Track) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.small = t
}

func (s *fakeSeat) OthersChanged(gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.others = append(s.others, gone)
}

// sizes is whether a small size is offered, and what it is.
func (s *fakeSeat) sizes() (offered bool, small media.Track) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.offered, s.small
}

// heard is who has come and gone, as the seat was told.
func (s *fakeSeat) heard() []bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.others)
}

func (s *fakeSeat) SetMuted(role media.Role, muted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.muted[role] = muted
}

func (s *fakeSeat) SetVideoSize(media.Role, int, int) {}

func (s *fakeSeat) isMuted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.muted[media.Audio]
}

func (s *fakeSeat) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
}

func (s *fakeSeat) hasLeft() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left
}

func (s *fakeSeat) Receiver() bridge.Receiver {
	if s.receiver == nil {
		return nil
	}
	return s.receiver
}

type fakeReceiver struct {
	low    bool
	events func(bridge.Event)
	tracks chan media.Track
	roster []call.Participant

	mu         sync.Mutex
	subscribed map[string]bool
	left       bool
}

func (r *fakeReceiver) Tracks() <-chan media.Track { return r.tracks }
func (r *fakeReceiver) Roster() []call.Participant { return r.roster }
func (r *fakeReceiver) Subscribe(id string, on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.subscribed[id] = on
}

func (r *fakeReceiver) wants(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.subscribed[id]
}

func (r *fakeReceiver) Leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = true
}

func (r *fakeReceiver) hasLeft() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left
}

// eventually polls what another goroutine brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second) // a worker is nice, and machines are busy
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
		<-time.After(5 * time.Millisecond)
	}
}
