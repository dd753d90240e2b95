package gateway_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/lobby/prompt"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h224"
	"github.com/roomgate/roomgate/transcode"
)

var pcmu = media.Format{Codec: media.PCMU, ClockRate: 8000, Channels: 1}

// fakeLeg is a leg whose far side is the test.
type fakeLeg struct {
	events chan call.Event
	tracks chan media.Track
	done   chan struct{}

	mu       sync.Mutex
	info     call.Info
	accepted *media.Capabilities
	progress []call.Provisional
	ended    *call.Cause
	digits   string
	referred string
	motions  []h224.Motion // of its camera
}

func newLeg(id, called string) *fakeLeg {
	return &fakeLeg{
		events: make(chan call.Event, 32), tracks: make(chan media.Track, 4), done: make(chan struct{}),
		info: call.Info{ID: id, Protocol: call.SIP, Called: called, Created: time.Unix(1e9, 0), Remote: call.Remote{Alias: "from-" + id}},
	}
}

func (l *fakeLeg) Info() call.Info {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.info
}

func (l *fakeLeg) Tracks() <-chan media.Track { return l.tracks }
func (l *fakeLeg) Done() <-chan struct{}      { return l.done }
func (l *fakeLeg) Events() <-chan call.Event  { return l.events }

func (l *fakeLeg) Publish(context.Context, media.Track) (func(), error) { return func() {}, nil }

func (l *fakeLeg) Progress(_ context.Context, p call.Provisional) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.progress = append(l.progress, p)
	return nil
}

func (l *fakeLeg) Accept(_ context.Context, can media.Capabilities) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended != nil {
		return call.ErrEnded
	}
	l.accepted = &can
	l.connect()
	return nil
}

// connect needs mu.
func (l *fakeLeg) connect() {
	l.info.Streams = []media.Stream{{Role: media.Audio, Direction: media.SendRecv, Send: pcmu, Recv: pcmu, Keypad: true}}
	l.events <- call.Event{Kind: call.MediaChanged}
	l.events <- call.Event{Kind: call.Connected}
}

// answer is what the far side of an outgoing leg does.
func (l *fakeLeg) answer() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connect()
}

func (l *fakeLeg) Update(context.Context, media.Capabilities) error { return nil }

func (l *fakeLeg) SendDigits(_ context.Context, digits string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.digits += digits
	return nil
}

func (l *fakeLeg) Transfer(_ context.Context, target string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.referred = target
	return nil
}

func (l *fakeLeg) Camera() (h224.Abilities, bool) { return h224.Abilities{Pan: true}, true }

func (l *fakeLeg) MoveCamera(m h224.Motion) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.motions = append(l.motions, m)
	return nil
}

func (l *fakeLeg) CameraPreset(uint8, bool) error { return nil }

// moved is how the camera was moved; the zero Motion is a stop.
func (l *fakeLeg) moved() []h224.Motion {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.motions)
}

func (l *fakeLeg) transferred() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.referred
}

func (l *fakeLeg) Hangup(cause call.Cause) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended != nil {
		return nil
	}
	l.ended = &cause
	l.events <- call.Event{Kind: call.Ended, Cause: cause}
	close(l.events)
	close(l.tracks)
	close(l.done)
	return nil
}

func (l *fakeLeg) cause() call.CauseCode {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended == nil {
		return ""
	}
	return l.ended.Code
}

func (l *fakeLeg) answered() *media.Capabilities {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.accepted
}

func (l *fakeLeg) rang() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.progress)
}

func (l *fakeLeg) gotDigits() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.digits
}

// fakeEndpoint hands the test's legs to the gateway and records what is dialled.
type fakeEndpoint struct {
	calls chan call.Leg

	mu     sync.Mutex
	dialed []call.Target
	legs   []*fakeLeg
}

func (e *fakeEndpoint) Serve(ctx context.Context, incoming func(call.Leg)) error {
	var wait sync.WaitGroup
	defer wait.Wait()
	for {
		select {
		case l := <-e.calls:
			wait.Add(1)
			go func() {
				defer wait.Done()
				incoming(l)
			}()
		case <-ctx.Done():
			return nil
		}
	}
}

func (e *fakeEndpoint) Dial(_ context.Context, to call.Target) (call.Leg, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if to.Address == "sip:refused" {
		return nil, errors.New("no route")
	}
	e.dialed = append(e.dialed, to)
	l := newLeg("out-"+to.Address, "")
	e.legs = append(e.legs, l)
	return l, nil
}

func (e *fakeEndpoint) out(i int) *fakeLeg {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i >= len(e.legs) {
		return nil
	}
	return e.legs[i]
}

// noSFU refuses for ever without ending anybody.
type noSFU struct{}

func (noSFU) Join(context.Context, string, call.Participant, bool, func(bridge.Event)) (bridge.Seat, error) {
	return nil, errors.New("no meeting server in this test")
}

func (noSFU) Receive(context.Context, string, bool, func(bridge.Event)) (bridge.Receiver, error) {
	return nil, errors.New("no meeting server in this test")
}

func (noSFU) Permanent(error) *call.Cause { return nil }

// node is a running gateway.
type node struct {
	*gateway.Gateway
	t        *testing.T
	endpoint *fakeEndpoint
	admin    *fakeAdmin // of a node with prompts
}

func startNode(t *testing.T, s gateway.Settings, registered ...string) *node {
	t.Helper()
	return startNodeWith(t, s, nil, registered...)
}

func startNodeWith(t *testing.T, s gateway.Settings, prompts *prompt.Set, registered ...string) *node {
	t.Helper()
	return startNodeAs(t, func(c *gateway.Config) { c.Prompts = prompts }, s, registered...)
}

func startNodeAs(t *testing.T, as func(*gateway.Config), s gateway.Settings, registered ...string) *node {
	t.Helper()
	n := &node{t: t, endpoint: &fakeEndpoint{calls: make(chan call.Leg)}}
	config := gateway.Config{
		Endpoints: map[call.Protocol]call.Endpoint{call.SIP: n.endpoint},
		SFU:       noSFU{}, Codecs: &transcode.Codecs{}, Logger: zap.NewNop(), Settings: s,
		TerminalExists: func(alias string) bool {
			for _, r := range registered {
				if r == alias {
					return true
				}
			}
			return false
		},
	}
	as(&config)
	if config.Prompts != nil {
		n.admin = &fakeAdmin{}
		config.Admin = n.admin
	}
	g, err := gateway.New(config)
	if err != nil {
		t.Fatal(err)
	}
	n.Gateway = g
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return n
}

// dialIn places a call of a terminal.
func (n *node) dialIn(id, called string) *fakeLeg {
	l := newLeg(id, called)
	n.endpoint.calls <- l
	return l
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
		<-time.After(2 * time.Millisecond)
	}
}
