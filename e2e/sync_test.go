package e2e

import (
	"context"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/testcard"
	sfu "github.com/roomgate/roomgate/meeting/livekit"
	"github.com/roomgate/roomgate/transcode"
	"github.com/roomgate/roomgate/transcode/video"
)

// lipSync is what sound and picture may be apart.
const lipSync = 80 * time.Millisecond

// watcher takes part in a meeting by WebRTC, hears and sees.
type watcher struct {
	t     *testing.T
	seat  *sfu.Seat
	stage *video.Stage

	mu    sync.Mutex
	lips  testcard.Lips
	cards int
}

// watchByWebRTC joins the meeting "demo" at the embedded server.
func watchByWebRTC(t *testing.T, url string) *watcher {
	t.Helper()
	client, err := sfu.New(sfu.Config{URL: url, APIKey: livekitKey, APISecret: livekitSecret, Node: "watcher", IP: func(ip net.IP) bool { return ip.String() == gatewayIP }})
	if err != nil {
		t.Fatal(err)
	}
	pool := video.NewPool(video.Config{Program: filepath.Join(filepath.Dir(program()), "roomgate-video"), Processes: 1})
	w := &watcher{t: t}
	if w.stage, err = pool.Stage(); err != nil {
		t.Fatal(err)
	}
	w.seat, err = client.Join(context.Background(), "demo", call.Participant{Identity: "watcher", Name: "watcher", Kind: call.Browser}, sfu.JoinOptions{Receive: true})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(w.subscribe)
	running.Go(w.take)
	t.Cleanup(func() {
		_ = w.seat.Close() // it ends either way
		running.Wait()
		_ = client.Close()
		w.stage.Close()
		_ = pool.Close()
	})
	return w
}

func (w *watcher) subscribe() {
	want := func(p call.Participant) {
		for _, t := range p.Tracks {
			if t.Role == media.Main.String() {
				w.seat.Subscribe(t.ID, sfu.Subscription{})
			}
		}
	}
	for _, p := range w.seat.Participants() {
		want(p)
	}
	for e := range w.seat.Events() {
		if e.Kind == sfu.Joined || e.Kind == sfu.Changed {
			want(e.Participant)
		}
	}
}

func (w *watcher) take() {
	for t := range w.seat.Tracks() {
		clock, ok := t.(media.SenderReporter)
		if !ok {
			continue
		}
		if t.Role() == media.Audio {
			w.hear(t, clock)
			continue
		}
		source, err := w.stage.Open(t)
		if err != nil {
			w.t.Error(err)
			continue
		}
		source.View(640, 360, true, func(i video.Image) {
			seen := testcard.Read(i.Data, i.Width, i.Height)
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, s := range seen {
				w.cards++
				w.lips.See(s.Card, i.Timestamp, 30, clock.NTP)
			}
		})
	}
}

func (w *watcher) hear(t media.Track, clock media.SenderReporter) {
	decoder, err := (&transcode.Codecs{}).NewDecoder(t.Format(), 48000)
	if err != nil {
		w.t.Error(err)
		return
	}
	pcm := make([]int16, 5760)
	t.Attach(media.WriterFunc(func(p *rtp.Packet) error {
		n, err := decoder.Decode(pcm, p.Payload)
		w.mu.Lock()
		defer w.mu.Unlock()
		if err == nil {
			w.lips.Hear(pcm[:n], 48000, p.Timestamp, t.Format().ClockRate, clock.NTP)
		}
		return nil
	}))
}

// median is by how much sound is later, and of how many pairs that is.
func median(list []time.Duration) (pairs int, d time.Duration) {
	if len(list) > 0 {
		d = list[len(list)/2]
	}
	return len(list), d
}

// A terminal beeps as its picture flashes. By the sender reports that come with them,
// both belong together for terminals that are passed the picture or get it made, and
// for a participant by WebRTC.
func TestLipSync(t *testing.T) {
	g := startGateway(t, "sfu: {embedded: true, api_key: "+livekitKey+", api_secret: "+livekitSecret+"}\n")
	sender := startRoom(t, 440, "--call", "demo@"+gatewayIP, "--codecs", "PCMA", "--video", "card:1", "--sync", "--tiles")
	eventually(t, 20*time.Second, "the sender is there", func() bool { return len(g.identities("demo")) == 1 })
	watch := func(codec string) *room {
		return startRoom(t, 0, "--call", "demo@"+gatewayIP, "--codecs", "PCMA", "--audio", "silence", "--video", "none", "--video-codecs", codec, "--sync", "--tiles", "--duration", "30s")
	}
	rooms := map[string]*room{"passed on": watch("H264"), "made": watch("VP8")}
	web := watchByWebRTC(t, "ws://127.0.0.1:7880")
	for name, r := range rooms {
		got := r.report()
		if got.Sync == nil || got.Sync.Pairs < 4 {
			t.Errorf("%s: %+v, video %+v", name, got, got.Video)
			continue
		}
		t.Logf("%s: sound is %d ms later than the picture (%d pairs)", name, got.Sync.MedianMS, got.Sync.Pairs)
		if d := time.Duration(got.Sync.MedianMS) * time.Millisecond; d.Abs() > lipSync {
			t.Errorf("%s: sound is %v later than the picture", name, d)
		}
	}
	web.mu.Lock()
	defer web.mu.Unlock()
	pairs, d := median(web.lips.Offsets())
	t.Logf("by WebRTC: sound is %v later than the picture (%d pairs, %d cards)", d.Round(time.Millisecond), pairs, web.cards)
	if pairs < 4 || d.Abs() > lipSync {
		t.Errorf("by WebRTC: %d pairs, sound is %v later than the picture", pairs, d)
	}
	sender.stop()
}
