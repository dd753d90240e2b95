package e2e

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/testcard"
	sfu "github.com/roomgate/roomgate/meeting/livekit"
	"github.com/roomgate/roomgate/transcode/video"
)

// onlooker takes part in the meeting "demo" by WebRTC and looks at one terminal, in a
// quality.
type onlooker struct {
	t     *testing.T
	seat  *sfu.Seat
	stage *video.Stage
	leave func()

	mu       sync.Mutex
	began    time.Time
	sizes    []string // in the order they came
	bytes    int      // of payload
	packets  int
	pictures int
	counters []int // of the terminal's test cards, as they were read
}

func look(t *testing.T, url, name string, want sfu.Subscription) *onlooker {
	t.Helper()
	client, err := sfu.New(sfu.Config{URL: url, APIKey: livekitKey, APISecret: livekitSecret, Node: name, IP: func(ip net.IP) bool { return ip.String() == gatewayIP }})
	if err != nil {
		t.Fatal(err)
	}
	pool := video.NewPool(video.Config{Program: filepath.Join(filepath.Dir(program()), "roomgate-video"), Processes: 1})
	o := &onlooker{t: t, began: time.Now()}
	if o.stage, err = pool.Stage(); err != nil {
		t.Fatal(err)
	}
	o.seat, err = client.Join(context.Background(), "demo", call.Participant{Identity: name, Name: name, Kind: call.Browser},
		sfu.JoinOptions{Receive: true, Video: []media.Codec{media.H264, media.VP8}})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { o.subscribe(want) })
	running.Go(o.take)
	o.leave = sync.OnceFunc(func() {
		_ = o.seat.Close() // it ends either way
		running.Wait()
		_ = client.Close()
		o.stage.Close()
		_ = pool.Close()
	})
	t.Cleanup(o.leave)
	return o
}

func (o *onlooker) subscribe(want sfu.Subscription) {
	asked := map[string]bool{}
	all := func(p call.Participant) {
		for _, t := range p.Tracks {
			if t.Role == media.Main.String() && !asked[t.ID] {
				asked[t.ID] = true
				o.seat.Subscribe(t.ID, want)
			}
		}
	}
	for _, p := range o.seat.Participants() {
		all(p)
	}
	for e := range o.seat.Events() {
		if e.Kind == sfu.Joined || e.Kind == sfu.Changed {
			all(e.Participant)
		}
	}
}

func (o *onlooker) take() {
	for t := range o.seat.Tracks() {
		if t.Role() != media.Main {
			continue
		}
		source, err := o.stage.Open(t)
		if err != nil {
			o.t.Error(err)
			continue
		}
		source.OnSize(func(w, h int) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.sizes = append(o.sizes, fmt.Sprintf("%dx%d", w, h))
			o.t.Logf("%s: %dx%d after %v", o.seat.Identity(), w, h, time.Since(o.began).Round(time.Millisecond))
		})
		source.View(640, 360, true, func(i video.Image) {
			seen := testcard.Read(i.Data, i.Width, i.Height)
			o.mu.Lock()
			defer o.mu.Unlock()
			o.pictures++
			for _, s := range seen {
				if s.Identity == 7 {
					o.counters = append(o.counters, s.Counter)
				}
			}
		})
		t.Attach(media.WriterFunc(func(p *rtp.Packet) error {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.bytes += len(p.Payload)
			o.packets++
			return nil
		}))
	}
}

// view is what was seen since the last call.
type view struct {
	size     string // now
	sizes    []string
	bytes    int
	pictures int
	counters []int
}

func (o *onlooker) sees() view {
	o.mu.Lock()
	defer o.mu.Unlock()
	v := view{bytes: o.bytes, pictures: o.pictures, counters: o.counters, sizes: slices.Clone(o.sizes)}
	if n := len(o.sizes); n > 0 {
		v.size = o.sizes[n-1]
	}
	return v
}

func (o *onlooker) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bytes, o.pictures, o.counters = 0, 0, nil
}

// shows waits until the terminal's card is seen in pictures of a size, and goes on.
func (o *onlooker) shows(size string) {
	o.t.Helper()
	var v view
	defer func() {
		if o.t.Failed() {
			o.t.Logf("sizes %v, %d pictures, %d with the card", v.sizes, v.pictures, len(v.counters))
		}
	}()
	eventually(o.t, 60*time.Second, "pictures of "+size, func() bool { v = o.sees(); return v.size == size })
	o.forget()
	eventually(o.t, 20*time.Second, "the terminal's card in them", func() bool {
		v = o.sees()
		return v.size == size && len(v.counters) > 20 && v.counters[0] != v.counters[len(v.counters)-1]
	})
}

// A terminal's picture goes to a meeting in its own size, and small as well while somebody
// looks at it as a small tile.
func TestSimulcastOfTerminals(t *testing.T) {
	for _, tc := range []struct{ name, config, size, small string }{
		{"embedded", "sfu: {api_key: " + livekitKey + ", api_secret: " + livekitSecret + "}\n", "1280x720", "320x180"},
		{"off", "sfu: {api_key: " + livekitKey + ", api_secret: " + livekitSecret + "}\nvideo: {simulcast: off}\n", "1280x720", "1280x720"},
		{"a room of VP8 elsewhere", "", "1280x720", "320x180"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			config, url := tc.config, "ws://127.0.0.1:7880"
			if config == "" {
				startRedis(t)
				server := startLiveKitOf(t, 0, "vp8")
				config, url = server.external(), server.url()
			}
			g := startGateway(t, config)
			terminal := startRoom(t, 440, "--call", "demo@"+gatewayIP, "--codecs", "PCMA", "--video", "card:7")
			eventually(t, 20*time.Second, "the terminal is there", func() bool { return len(g.identities("demo")) == 1 })

			stage := look(t, url, "stage", sfu.Subscription{Width: 1280, Height: 720})
			stage.shows(tc.size)
			busy := func() func() float64 {
				was, at := g.metric("roomgate_video_busy_seconds_total"), time.Now()
				return func() float64 {
					return (g.metric("roomgate_video_busy_seconds_total") - was) / time.Since(at).Seconds() * 100
				}
			}
			idle := busy()
			eventually(t, 30*time.Second, "pictures for a while", func() bool { return stage.sees().pictures > 45 })
			// Who is alone with those who send nothing is shown so; a room of VP8 gets all made.
			base := g.metric("roomgate_video_encoders")
			t.Logf("%g encoders while nobody wants it small, %.1f %% of a processor", base, idle())

			wall := look(t, url, "wall", sfu.Subscription{Width: 256, Height: 144})
			wall.shows(tc.small)
			t.Logf("a small tile got %v", wall.sees().sizes)
			if tc.size == tc.small {
				wall.forget()
				eventually(t, 30*time.Second, "more of it", func() bool { return wall.sees().pictures > 45 })
				if sizes := wall.sees().sizes; len(sizes) != 1 || g.metric("roomgate_video_encoders") != base {
					t.Errorf("a small tile got %v, %g encoders", sizes, g.metric("roomgate_video_encoders"))
				}
				return
			}
			if n := g.metric("roomgate_video_encoders"); n != base+1 {
				t.Errorf("%g encoders while somebody wants it small, want %g", n, base+1)
			}
			stage.forget()
			wall.forget()
			began, working := time.Now(), busy()
			eventually(t, 60*time.Second, "pictures of both", func() bool { return wall.sees().pictures > 30 && stage.sees().pictures > 60 })
			took := time.Since(began).Seconds()
			large, small := stage.sees(), wall.sees()
			rate := func(v view) string {
				return fmt.Sprintf("%.0f kbit/s, %.1f pictures a second of %s, the card read in %d of %d", float64(v.bytes)*8/1000/took, float64(v.pictures)/took, v.size, len(v.counters), v.pictures)
			}
			t.Logf("large: %s; small: %s; %.1f %% of a processor", rate(large), rate(small), working())
			if large.size != tc.size || !slices.Equal(large.sizes, []string{tc.size}) {
				t.Errorf("who looks at it large saw %v", large.sizes)
			}
			if small.size == tc.small && small.bytes*3/2 > large.bytes {
				t.Errorf("small: %d bytes, large: %d", small.bytes, large.bytes)
			}

			wall.leave()
			left := time.Now()
			eventually(t, 60*time.Second, "nothing is made for nobody", func() bool { return g.metric("roomgate_video_encoders") == base })
			t.Logf("nothing is made for nobody %v after", time.Since(left).Round(time.Millisecond))
			stage.shows(tc.size)
			if sizes := stage.sees().sizes; len(sizes) != 1 {
				t.Errorf("who looks at it large saw %v", sizes)
			}
			terminal.stop()
			g.noCalls()
		})
	}
}

// A browser whose tile of a terminal becomes small is sent the small picture, and the large
// one again when it becomes large.
func TestSmallTileInABrowser(t *testing.T) {
	g := startGateway(t, "")
	terminal := startRoom(t, 440, "--call", "demo@"+gatewayIP, "--codecs", "PCMA", "--video", "card:7")
	eventually(t, 20*time.Second, "the terminal is there", func() bool { return len(g.identities("demo")) == 1 })
	web := openBrowser(t, browserOptions{name: "Lan"})
	web.visit("demo")
	web.fillIn("Lan")
	web.click("join")
	web.joined()
	terminalPicture := func() remotePicture {
		for _, p := range web.pictures() {
			if p.Kind == "terminal" {
				return p
			}
		}
		return remotePicture{}
	}
	decodes := func(width, height int) {
		t.Helper()
		var p remotePicture
		began := time.Now()
		eventually(t, 60*time.Second, fmt.Sprintf("the terminal in %dx%d", width, height), func() bool {
			p = terminalPicture()
			return p.Width == width && p.Height == height
		})
		frames := p.Frames
		eventually(t, 20*time.Second, "more of it", func() bool {
			p = terminalPicture()
			return p.Frames > frames+30
		})
		t.Logf("%dx%d after %v: %d frames in all", width, height, time.Since(began).Round(time.Millisecond), p.Frames)
	}
	decodes(1280, 720)
	web.run("make the window small", 10*time.Second, chromedp.EmulateViewport(300, 420))
	decodes(320, 180)
	web.run("make it large", 10*time.Second, chromedp.EmulateViewport(1280, 800))
	decodes(1280, 720)
	terminal.stop()
	g.noCalls()
}
