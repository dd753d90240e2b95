// Package terminal is a simulated room terminal: it calls or is called as a
// room system would be, sends a tone and a picture, and measures what it gets.
// It serves `roomgate terminal`, the benchmarks and the tests.
package terminal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode/video"
)

// Run places or takes one call and returns when it has ended. The error is of
// the terminal itself (options, sockets, files); a call that fails is reported
// with Connected false and its cause.
func Run(ctx context.Context, o Options) (Report, error) {
	p, err := o.prepare()
	if err != nil {
		return Report{}, err
	}
	line, err := p.openLine(ctx)
	if err != nil {
		return Report{}, err
	}
	report, err := p.run(ctx, line)
	return report, errors.Join(err, line.close())
}

// run makes the one call of the terminal on line.
func (p *prepared) run(ctx context.Context, l *line) (Report, error) {
	report := Report{Protocol: p.Protocol, Encryption: "none"}
	if p.account.user != "" {
		if err := l.register(ctx, p); err != nil {
			report.Cause = err.Error()
			return report, nil
		}
	}
	if p.Ready != nil {
		p.Ready(l.address)
	}
	began := time.Now()
	leg, err := p.connect(ctx, l)
	if err != nil || leg == nil {
		return report, err
	}
	if leg.Info().Direction == call.In {
		began = time.Now()
	}
	v := &visit{prepared: p, leg: leg, log: p.Logger.With(zap.String("leg", leg.Info().ID)), began: began}
	return v.run(ctx)
}

// connect gives the leg to stay on: called or calling. nil: ctx ended first.
func (p *prepared) connect(ctx context.Context, l *line) (call.Leg, error) {
	if !p.Listen {
		return l.endpoint.Dial(ctx, p.target())
	}
	select {
	case leg := <-l.incoming:
		if err := leg.Progress(ctx, call.Provisional{Ringing: true}); err != nil {
			p.Logger.Info("ringing was not said", zap.Error(err))
		}
		l.wg.Go(func() { // its outcome comes as an event
			if err := leg.Accept(ctx, p.capabilities()); err != nil {
				p.Logger.Info("call not accepted", zap.Error(err))
			}
		})
		return leg, nil
	case <-ctx.Done():
		return nil, nil
	}
}

// visit is one call, from its first event to its last.
type visit struct {
	*prepared
	leg   call.Leg
	log   *zap.Logger
	began time.Time

	answered time.Time
	hungUp   bool
	report   Report
	senses   senses
	sending  [media.Content + 1]*sending
	faults   []error

	presenting presenting
	lens       lens

	stageOnce sync.Once
	stage     *video.Stage
	pool      *video.Pool

	overAt, pressAt <-chan time.Time
	presentAt       <-chan time.Time
	yieldAt         <-chan time.Time
	steerAt         <-chan time.Time
	press           func()      // sends the digits
	digits          chan string // those that were sent
}

// sending is what the terminal sends in a role.
type sending struct {
	format    media.Format
	stop      func()
	unpublish func()
}

func (v *visit) run(ctx context.Context) (Report, error) {
	v.report = Report{Protocol: v.Protocol, Encryption: "none"}
	v.senses = senses{visit: v}
	var parts sync.WaitGroup
	parts.Go(func() { v.senses.watch(v.leg.Tracks()) })
	pressing, stopPressing := context.WithCancel(ctx)
	v.digits = make(chan string, 1)
	v.press = func() { parts.Go(func() { v.digits <- v.sendDigits(pressing) }) }
	v.follow(ctx)
	stopPressing()
	v.stopSending()
	parts.Wait()
	v.senses.report(&v.report)
	v.report.Presenting = v.presenting.report
	v.report.Camera = v.lens.end(time.Now(), v.log)

	v.closeWorker()
	return v.report, errors.Join(v.faults...)
}

// follow goes through the events of the call until its end.
func (v *visit) follow(ctx context.Context) {
	counting := time.NewTicker(countInterval)
	defer counting.Stop()
	done := ctx.Done()
	for {
		select {
		case ev, open := <-v.leg.Events():
			if !open || v.happened(ctx, ev) {
				return
			}
		case <-counting.C:
			v.count()
			if v.enough != nil && v.enough(v.senses.heard(), v.senses.seen(), v.report.DTMFSent) {
				v.hangUp()
			}
		case <-v.pressAt:
			v.pressAt = nil
			v.press()
		case sent := <-v.digits:
			v.report.DTMFSent = sent
		case <-v.presentAt:
			v.presentAt = nil
			v.present(ctx)
		case <-v.yieldAt:
			v.yieldAt = nil
			v.yield(ctx)
		case <-v.steerAt:
			v.steerAt = v.steerNext()
		case <-v.overAt:
			v.overAt = nil
			v.hangUp()
		case <-done:
			done = nil
			v.hangUp()
		}
	}
}

// happened handles an event; over says that it was the last.
func (v *visit) happened(ctx context.Context, ev call.Event) (over bool) {
	switch ev.Kind {
	case call.Connected:
		v.connected(ctx)
		if v.Duration > 0 {
			v.overAt = time.After(v.Duration)
		}
		if v.DTMF != "" {
			v.pressAt = time.After(v.DTMFAfter)
		}
	case call.MediaChanged, call.EarlyMedia:
		v.send(ctx)
	case call.ContentRequested, call.ContentGranted, call.ContentRefused, call.ContentLost, call.ContentStarted, call.ContentStopped:
		v.presentation(ctx, ev.Kind)
	case call.CameraCommand:
		v.lens.command(ev.Camera, time.Now(), v.log)
	case call.Referred:
		if ev.Refer != nil {
			ev.Refer.Refuse(call.Cause{Code: call.NotSupported})
		}
	case call.Ended:
		v.ended(ev.Cause)
		return true
	}
	return false
}

func (v *visit) hangUp() {
	v.hungUp = true
	v.count()
	cause := call.Cause{Code: call.NormalClearing}
	if !v.report.Connected {
		cause.Code = call.Cancelled
	}
	_ = v.leg.Hangup(cause) // the end comes as an event
}

func (v *visit) connected(ctx context.Context) {
	v.answered = time.Now()
	v.report.Connected = true
	if v.path != nil {
		v.path.begin(v.answered)
	}
	v.report.SetupMS = v.answered.Sub(v.began).Milliseconds()
	v.send(ctx)
	if len(v.steer) > 0 {
		v.steerAt = time.After(steerAfter)
	}
	if v.presents() {
		v.presentAt = time.After(v.ContentAfter)
	}
	if v.Connected != nil {
		v.Connected()
	}
}

func (v *visit) ended(cause call.Cause) {
	v.count()
	if e := v.leg.Info().Encryption; e != "" {
		v.report.Encryption = e
	}
	if !v.report.Connected || !v.hungUp && cause.Code != call.NormalClearing {
		v.report.Cause = cause.String()
	}
}

// sendDigits gives those that were sent.
func (v *visit) sendDigits(ctx context.Context) string {
	keys, ok := v.leg.(call.DigitSender)
	if !ok {
		return ""
	}
	if err := keys.SendDigits(ctx, v.DTMF); err != nil {
		v.log.Info("digits were not sent", zap.Error(err))
		return ""
	}
	return v.DTMF
}

// send makes what is sent match what was negotiated.
func (v *visit) send(ctx context.Context) {
	for _, s := range v.leg.Info().Streams {
		have := v.sending[s.Role]
		wanted := s.Direction.Sends() && s.Send.Codec != "" && v.source(s.Role) != "none" &&
			(s.Role != media.Content || v.presenting.granted)
		if have != nil && (!wanted || have.format != s.Send) {
			have.end()
			have, v.sending[s.Role] = nil, nil
		}
		if have == nil && wanted {
			if err := v.begin(ctx, s); err != nil {
				v.faults = append(v.faults, err)
			}
		}
	}
}

// card is the test card to send on a stream. Other codecs than H.264 have no
// pattern but cards.
func (v *visit) card(s media.Stream) (from cardSource, is bool) {
	source := v.source(s.Role)
	if from, is = parseCards(source); is {
		return from, true
	}
	return from, !s.Send.Codec.Is(string(media.H264)) && strings.HasPrefix(source, "pattern")
}

func (v *visit) source(r media.Role) string {
	switch r {
	case media.Main:
		return v.Video
	case media.Content:
		return v.Content
	}
	return v.Audio
}

// pace is how many pictures a second are asked for of a role, 0 for as many as its source has.
func (v *visit) pace(r media.Role) float64 {
	if r == media.Main {
		return v.FPS
	}
	return 0
}

// begin sends in the role of s.
func (v *visit) begin(ctx context.Context, s media.Stream) error {
	var t media.Track
	var stop func()
	if s.Role == media.Audio {
		talk, err := v.newTalk(ctx, s.Send)
		if err != nil {
			return err
		}
		t, stop = talk, talk.stop
	} else if from, is := v.card(s); is {
		camera, err := newCardCamera(ctx, v.workerStage(), from, s, v.pace(s.Role), v.beep)
		if err != nil {
			return err
		}
		t, stop = camera, camera.stop
	} else {
		camera, err := newCamera(ctx, v.source(s.Role), s, v.pace(s.Role))
		if err != nil {
			return err
		}
		t, stop = camera, camera.stop
	}
	unpublish, err := v.leg.Publish(ctx, t)
	if err != nil {
		stop()
		return fmt.Errorf("%s was not sent: %w", s.Role, err)
	}
	v.sending[s.Role] = &sending{s.Send, stop, unpublish}
	return nil
}

// beep begins one, where the terminal beeps.
func (v *visit) beep() {
	if b := v.beeper.Load(); b != nil {
		b.begin()
	}
}

// workerStage is a place at a video worker, started when it is first needed;
// nil where there is none.
func (v *visit) workerStage() *video.Stage {
	v.stageOnce.Do(func() {
		v.pool = video.NewPool(video.Config{Program: v.Worker, Processes: 1, Logger: v.log})
		stage, err := v.pool.Stage()
		if err != nil {
			v.log.Info("no test cards", zap.Error(err))
			return
		}
		v.stage = stage
	})
	return v.stage
}

// tileStage is where cards are read, nil when they are not.
func (v *visit) tileStage() *video.Stage {
	if !v.Tiles {
		return nil
	}
	return v.workerStage()
}

// closeWorker is called when nothing uses the stage any more.
func (v *visit) closeWorker() {
	if v.stage != nil {
		v.stage.Close()
	}
	if v.pool != nil {
		_ = v.pool.Close() // always nil
	}
}

func (s *sending) end() {
	s.unpublish()
	s.stop()
}

func (v *visit) stopSending() {
	for i, s := range v.sending {
		if s != nil {
			s.end()
			v.sending[i] = nil
		}
	}
}

// countInterval is how often the leg's counters are read: it has none any more
// when the far side has ended the call.
const countInterval = 500 * time.Millisecond

// count reads the leg's counters.
func (v *visit) count() {
	counted, ok := v.leg.(call.StatsReporter)
	if !ok {
		return
	}
	if stats := counted.Stats(); len(stats) > 0 {
		v.senses.stats = stats
	}
}
