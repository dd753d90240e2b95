package bench

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/frame"
	"github.com/roomgate/roomgate/transcode/video"
	"github.com/roomgate/roomgate/transcode/video/cards"
	"github.com/roomgate/roomgate/transcode/video/wire"
)

// workerProgram is the video worker beside the program.
const workerProgram = "roomgate-video"

func (r *run) worker() string { return filepath.Join(filepath.Dir(r.in.Binary), workerProgram) }

// screens is what a video worker costs: against a bare loop of the same
// libraries, and in one meeting whose terminals all see the same nine.
func (r *run) screens(ctx context.Context) error {
	pool := video.NewPool(video.Config{Program: r.worker(), Processes: 1})
	defer func() { _ = pool.Close() }() // always nil
	stage, err := pool.Stage()
	if err != nil {
		return err
	}
	defer stage.Close()
	if _, err := stage.Abilities(); err != nil {
		return err
	}
	f := h264
	f.H264 = media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1}
	clip, err := cards.Make(ctx, stage, clipSpec(f))
	if err != nil {
		return err
	}
	if err := r.overhead(ctx, pool, stage, f, clip); err != nil {
		return err
	}
	legs := []int{10, 20, 40, 80}
	if r.in.Quick {
		legs = legs[:2]
	}
	first := 0.0
	for _, n := range legs {
		cost, err := r.meetingOf(ctx, n, clip)
		if err != nil {
			return err
		}
		if first == 0 {
			first = cost
		}
		r.add(Figure{Scenario: "screens", Name: fmt.Sprintf("worker, %d legs in one 3x3 layout", n), Value: cost, Unit: "core",
			Target: 1.3 * first, Baseline: first, Against: fmt.Sprintf("%d legs", legs[0])})
	}
	return nil
}

// clipSpec is what terminals send in scenarios of screens.
func clipSpec(f media.Format) cards.Spec {
	return cards.Spec{Identity: 1, Format: f, Size: image.Pt(1280, 720), Bitrate: 1_500_000, Pictures: 60}
}

// ownStage is a place at a worker of the benchmark's own.
func (r *run) ownStage() (stage *video.Stage, done func(), err error) {
	pool := video.NewPool(video.Config{Program: r.worker(), Processes: 1})
	if stage, err = pool.Stage(); err != nil {
		_ = pool.Close() // always nil
		return nil, nil, err
	}
	return stage, func() {
		stage.Close()
		_ = pool.Close() // always nil
	}, nil
}

// player is a clip as a track that is played by hand.
type player struct {
	format  media.Format
	clip    []cards.Picture
	writers []media.Writer
	done    chan struct{}
	at      int
	packet  rtp.Packet
}

func (p *player) ID() string            { return "clip" }
func (p *player) Role() media.Role      { return media.Main }
func (p *player) Format() media.Format  { return p.format }
func (p *player) RequestKeyframe()      {}
func (p *player) Done() <-chan struct{} { return p.done }

// Attach implements media.Track; it is called before the first next.
func (p *player) Attach(w media.Writer) func() {
	p.writers = append(p.writers, w)
	return func() {}
}

// next plays one picture.
func (p *player) next() {
	for _, q := range p.clip[p.at%len(p.clip)] {
		p.packet.Version = 2
		p.packet.Timestamp = uint32(3000 * (p.at + 1))
		p.packet.Marker, p.packet.Payload = q.Marker, q.Payload
		for _, w := range p.writers {
			_ = w.WriteRTP(&p.packet)
		}
		p.packet.SequenceNumber++
	}
	p.at++
}

// overhead compares the worker, fed at the pace of a camera, with a bare loop
// over the same pictures: 720p decoded, scaled to 640x360 and encoded.
func (r *run) overhead(ctx context.Context, pool *video.Pool, stage *video.Stage, f media.Format, clip []cards.Picture) error {
	pictures := 600
	if r.in.Quick {
		pictures = 240
	}
	const w, h, bps = 640, 360, 700_000
	play := &player{format: f, clip: clip, done: make(chan struct{})}
	late := newPictureDelay()
	source, err := stage.Open(play)
	if err != nil {
		return err
	}
	defer source.Close()
	scene := video.Scene{Width: w, Height: h, FPS: 30, Follow: source, Tiles: []video.Tile{{Source: source, Rect: image.Rect(0, 0, w, h)}}}
	canvas, err := stage.Canvas(scene)
	if err != nil {
		return err
	}
	defer canvas.Close()
	out, err := canvas.Encode(video.Encoding{ID: "bench", Role: media.Main, Format: f, Bitrate: bps, FPS: 30})
	if err != nil {
		return err
	}
	defer out.Close()
	defer out.Attach(late)()
	pids := pool.Processes()
	if len(pids) != 1 {
		return fmt.Errorf("%d workers", len(pids))
	}
	before, err := process(pids[0]).cpu()
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Second / 30)
	defer tick.Stop()
	for range pictures {
		select {
		case <-tick.C:
			late.sent(uint32(3000 * (play.at + 1)))
			play.next()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := pause(ctx, 300*time.Millisecond); err != nil {
		return err
	}
	after, err := process(pids[0]).cpu()
	if err != nil {
		return err
	}
	done := out.Stats()
	if done.Frames < uint64(pictures)*9/10 {
		return fmt.Errorf("the worker made %d pictures of %d", done.Frames, pictures)
	}
	r.add(Figure{Scenario: "screens", Name: "worker, from the packets of a picture to those of the one that is made, p95", Value: late.took.quantile(0.95), Unit: "ms", Target: 80,
		Note: fmt.Sprintf("p50 %.1f ms, of %d pictures", late.took.quantile(0.5), late.took.count())})
	bare, coded, err := r.bare(ctx, clip, pictures, w, h, bps)
	if err != nil {
		return err
	}
	per := func(d time.Duration, n int) float64 { return float64(d.Microseconds()) / 1000 / float64(n) }
	base := per(bare, coded)
	r.add(Figure{Scenario: "screens", Name: "worker, 720p decoded and encoded as 640x360", Value: per(after-before, int(done.Frames)), Unit: "ms/picture",
		Target: 1.15 * base, Baseline: base, Against: "bare libraries", Note: fmt.Sprintf("%d pictures, the last one %.1f ms after it was drawn", done.Frames, float64(done.Delay.Microseconds())/1000)})
	return nil
}

// bare runs the loop of the same libraries over the same pictures.
func (r *run) bare(ctx context.Context, clip []cards.Picture, pictures, w, h, bps int) (took time.Duration, coded int, err error) {
	var in []byte
	add := func(kind wire.Kind, body func([]byte) []byte) {
		if err == nil {
			in, err = wire.Append(in, kind, 1, body)
		}
	}
	scene := wire.Scene{Width: w, Height: h, FPS: 30}
	encoder := wire.Encoder{Codec: wire.H264, Level: 31, Bitrate: bps, FPS: 30, MaxUnit: 1188}
	add(wire.OpenSource, func(dst []byte) []byte { return append(dst, wire.H264) })
	add(wire.Canvas, scene.Append)
	add(wire.OpenEncoder, encoder.Append)
	f := h264
	frames, err := frame.NewAssembler(f, func(f frame.Frame) {
		coded := wire.Frame{Timestamp: f.Timestamp, Data: f.Data}
		add(wire.Coded, coded.AppendCoded)
	}, func() {})
	if err != nil {
		return 0, 0, err
	}
	play := &player{clip: clip, writers: []media.Writer{frames}}
	for range pictures {
		play.next()
	}
	if err != nil {
		return 0, 0, err
	}
	cmd := exec.CommandContext(ctx, r.worker(), "--bare")
	cmd.Stdin = bytes.NewReader(in)
	text, err := cmd.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("bare loop: %w", err)
	}
	var micros int64
	if _, err := fmt.Sscan(string(text), &micros, &coded); err != nil || coded == 0 {
		return 0, 0, fmt.Errorf("bare loop: %q", text)
	}
	return time.Duration(micros) * time.Microsecond, coded, nil
}

// meetingOf puts n terminals that send 720p into a meeting of nine tiles, and
// gives what the worker uses of a core.
func (r *run) meetingOf(ctx context.Context, n int, clip []cards.Picture) (float64, error) {
	st, err := r.newStage(ctx, setup{env: []string{"ROOMGATE_MEETINGS_DEFAULT_LAYOUT=3x3"}}, 16)
	if err != nil {
		return 0, err
	}
	defer st.close()
	if err := st.callAll(ctx, n, func(int) string { return "screens" }, casting{pictures: true, clip: clip}); err != nil {
		return 0, err
	}
	if err := pause(ctx, 6*time.Second); err != nil {
		return 0, err
	}
	workers := st.gateway.self.named(workerProgram)
	if len(workers) == 0 {
		return 0, fmt.Errorf("the gateway has no video worker")
	}
	var before []time.Duration
	for _, w := range workers {
		used, err := w.cpu()
		if err != nil {
			return 0, err
		}
		before = append(before, used)
	}
	frames := st.frames()
	s, err := r.sample(ctx, st)
	if err != nil {
		return 0, err
	}
	cores, memory := 0.0, s.pss
	for i, w := range workers {
		used, err := w.cpu()
		if err != nil {
			return 0, err
		}
		cores += (used - before[i]).Seconds() / s.lasted.Seconds()
		_, pss, err := w.memory()
		if err != nil {
			return 0, err
		}
		memory += pss
	}
	worst := 0.0
	for i, now := range st.frames() {
		if fps := float64(now-frames[i]) / s.lasted.Seconds(); i == 0 || fps < worst {
			worst = fps
		}
	}
	in := fmt.Sprintf("screens %d", n)
	r.add(Figure{Scenario: in, Name: "pictures a second, the slowest leg", Value: worst, Unit: "1/s", Target: 25, AtLeast: true, Baseline: 30, Against: "sent", Note: s.around()})
	r.add(Figure{Scenario: in, Name: "gateway", Value: s.gateway, Unit: "core"})
	r.add(Figure{Scenario: in, Name: "memory, gateway and worker", Value: float64(memory) / (1 << 20), Unit: "MiB", Target: 2500})
	return cores, nil
}

// frames is how many pictures each phone got so far.
func (st *stage) frames() (list []uint64) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, p := range st.phones {
		if p.video != nil {
			list = append(list, p.video.Frames())
		}
	}
	return list
}
