package bench

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/bench/traffic"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/transcode/video/cards"
)

// pictureDelay measures how long pictures are under way in a worker, by their
// timestamps.
type pictureDelay struct {
	mu   sync.Mutex
	at   map[uint32]time.Time
	took delays
}

func newPictureDelay() *pictureDelay { return &pictureDelay{at: map[uint32]time.Time{}} }

func (d *pictureDelay) sent(stamp uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at[stamp] = time.Now()
}

// WriteRTP implements media.Writer.
func (d *pictureDelay) WriteRTP(p *rtp.Packet) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if sent, ok := d.at[p.Timestamp]; ok && p.Marker {
		d.took.add(time.Since(sent))
		delete(d.at, p.Timestamp)
	}
	return nil
}

// Of the headline: so many terminals, of whom a few speak.
const (
	crowd    = 40
	speakers = 3
)

// loadNiceness is below that of the video worker.
const loadNiceness = 19

// headline is forty terminals that send 720p and sound into one meeting of nine
// tiles with names, the load niced below the gateway and its worker: ten minutes of it
// with --window 10m.
func (r *run) headline(ctx context.Context) error {
	clip, err := r.cardClip(ctx)
	if err != nil {
		return err
	}
	voice, err := traffic.Speech(pcmu, 8000)
	if err != nil {
		return err
	}
	quiet, err := traffic.Quiet(pcmu, 8000)
	if err != nil {
		return err
	}
	st, err := r.newStage(ctx, setup{env: []string{"ROOMGATE_MEETINGS_DEFAULT_LAYOUT=3x3"}}, 16)
	if err != nil {
		return err
	}
	defer st.close()
	if err := beNice(loadNiceness); err != nil {
		return err
	}
	for i := range crowd {
		play := casting{pictures: true, clip: clip, sound: quiet}
		if i < speakers {
			play.sound = voice
		}
		if _, err := st.dial(ctx, i, "headline", play); err != nil {
			return err
		}
	}
	if err := pause(ctx, 8*time.Second); err != nil {
		return err
	}
	return r.judgeHeadline(ctx, st)
}

func (r *run) judgeHeadline(ctx context.Context, st *stage) error {
	const in = "headline"
	worker, err := watchWorkers(st)
	if err != nil {
		return err
	}
	before, frames := st.gateway.scrape(ctx), st.frames()
	peak := r.watchMemory(ctx, st)
	s, err := r.sample(ctx, st)
	most := peak()
	if err != nil {
		return err
	}
	cores, err := worker(s.lasted)
	if err != nil {
		return err
	}
	after := st.gateway.scrape(ctx)
	worst, mean := 0.0, 0.0
	for i, now := range st.frames() {
		fps := float64(now-frames[i]) / s.lasted.Seconds()
		if mean += fps / crowd; i == 0 || fps < worst {
			worst = fps
		}
	}
	around := fmt.Sprintf("%.0f s; machine %.2f of its cores, load %s", s.lasted.Seconds(), s.machine, loadAverage())
	late := lateness(before, after)
	r.add(Figure{Scenario: in, Name: "ticks of sound, late p99", Value: late(0.99), Unit: "ms", Target: 10,
		Note: fmt.Sprintf("p50 %.2f, p99.9 %.1f ms, %.0f skipped; %s", late(0.5), late(0.999),
			metric(after, "roomgate_audio_ticks_skipped_total")-metric(before, "roomgate_audio_ticks_skipped_total"), around)})
	r.add(Figure{Scenario: in, Name: "pictures a second, the slowest terminal", Value: worst, Unit: "1/s", Target: 25, AtLeast: true, Baseline: 30, Against: "sent",
		Note: fmt.Sprintf("%.1f on average", mean)})
	r.add(Figure{Scenario: in, Name: "packets of sound a second, the worst terminal", Value: s.worst, Unit: "1/s", Target: 49, AtLeast: true, Baseline: 50, Against: "sent"})
	r.add(Figure{Scenario: in, Name: "gateway", Value: s.gateway, Unit: "core"})
	r.add(Figure{Scenario: in, Name: "worker", Value: cores, Unit: "core"})
	r.add(Figure{Scenario: in, Name: "SFU", Value: s.sfu, Unit: "core"})
	r.add(Figure{Scenario: in, Name: "load", Value: s.load, Unit: "core"})
	r.add(Figure{Scenario: in, Name: "memory of gateway, worker and SFU, at most", Value: float64(most) / (1 << 20), Unit: "MiB", Target: 2500})
	return nil
}

// watchWorkers begins to measure the processor time of video workers.
func watchWorkers(st *stage) (used func(time.Duration) (float64, error), err error) {
	workers := st.gateway.self.named(workerProgram)
	if len(workers) == 0 {
		return nil, fmt.Errorf("the gateway has no video worker")
	}
	sum := func() (all time.Duration, err error) {
		for _, w := range workers {
			cpu, err := w.cpu()
			if err != nil {
				return 0, err
			}
			all += cpu
		}
		return all, nil
	}
	before, err := sum()
	return func(lasted time.Duration) (float64, error) {
		after, err := sum()
		return (after - before).Seconds() / lasted.Seconds(), err
	}, err
}

// watchMemory looks at the memory of all processes of the gateway once a second until
// peak is called, which gives the most there was.
func (r *run) watchMemory(ctx context.Context, st *stage) (peak func() int64) {
	ctx, cancel := context.WithCancel(ctx)
	var most int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			var all int64
			for _, p := range append([]process{st.gateway.self, st.gateway.sfu}, st.gateway.self.named(workerProgram)...) {
				if _, pss, err := p.memory(); err == nil {
					all += pss
				}
			}
			most = max(most, all)
			if pause(ctx, time.Second) != nil {
				return
			}
		}
	}()
	return func() int64 {
		cancel()
		<-done
		return most
	}
}

// lateness gives quantiles of how late ticks began between two scrapes, in ms; within
// a bucket they are taken to be even.
func lateness(before, after string) func(q float64) float64 {
	const name = `roomgate_audio_tick_late_seconds_bucket{le="`
	counts := make([]float64, len(mixer.LateBounds)+1)
	for i := range counts {
		le := "+Inf"
		if i < len(mixer.LateBounds) {
			le = strconv.FormatFloat(mixer.LateBounds[i].Seconds(), 'g', -1, 64)
		}
		counts[i] = metric(after, name+le+`"}`) - metric(before, name+le+`"}`)
	}
	return func(q float64) float64 {
		want, below, from := q*counts[len(counts)-1], 0.0, 0.0
		for i, bound := range mixer.LateBounds {
			to := bound.Seconds() * 1000
			if counts[i] >= want && counts[i] > below {
				return from + (to-from)*(want-below)/(counts[i]-below)
			}
			below, from = counts[i], to
		}
		return from // or more
	}
}

// beNice makes all threads of this process nice; those to come inherit it.
func beNice(niceness int) error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, id, niceness) // a thread that has ended
		}
	}
	return nil
}

func loadAverage() string {
	text, _ := os.ReadFile("/proc/loadavg") // without it the note is empty
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// cardClip is test cards of 1280x720, coded by a worker.
func (r *run) cardClip(ctx context.Context) ([]cards.Picture, error) {
	stage, done, err := r.ownStage()
	if err != nil {
		return nil, err
	}
	defer done()
	f := h264
	f.H264 = media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1}
	return cards.Make(ctx, stage, clipSpec(f))
}
