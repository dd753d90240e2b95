package terminal

import (
	"math"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/jitter"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/media/tone"
	"github.com/roomgate/roomgate/transcode"
)

// audible is the level above which there is sound, dBFS.
const audible = -60

// maxTones bounds those that are reported.
const maxTones = 32

// ear measures the audio received.
type ear struct {
	mu      sync.Mutex
	order   *jitter.Reorder
	format  media.Format
	now     hearing
	packets uint64
	first   time.Time // of sound
	since   time.Time // of the last measurement
	heard   tone.Measurement
	tones   []int // Hz, as they came
	record  *recorder
	file    string
	err     error
	lips    *lips // nil: nobody looks at them
	track   media.Track
}

// hearing is how one codec is heard.
type hearing struct {
	decoder mixer.Decoder
	meter   *tone.Meter
	pcm     []int16
}

func newEar(format media.Format, file string) (*ear, error) {
	e := &ear{format: format, file: file, heard: tone.Measurement{Level: math.Inf(-1)}}
	rate := samplingRate(format)
	decoder, err := (&transcode.Codecs{}).NewDecoder(format, rate)
	if err != nil {
		return nil, err
	}
	e.now = hearing{decoder, tone.NewMeter(rate), make([]int16, rate*120/1000)}
	e.order = jitter.NewReorder(e.hear)
	if file != "" {
		if e.record, err = createWAV(file, rate); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// WriteRTP implements media.Writer.
func (e *ear) WriteRTP(p *rtp.Packet) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.packets++
	e.order.Write(p, time.Now())
	return nil
}

func (e *ear) hear(p *jitter.Packet) {
	n, err := e.now.decoder.Decode(e.now.pcm, p.Payload)
	if err != nil || n == 0 {
		return
	}
	pcm, now := e.now.pcm[:n], time.Now()
	e.now.meter.Write(pcm)
	if e.lips != nil {
		e.lips.hear(pcm, samplingRate(e.format), p.Timestamp, e.track)
	}
	if e.record != nil {
		e.record.write(pcm)
	}
	if e.first.IsZero() && level(pcm) > audible {
		e.first, e.since = now, now
	}
	if !e.first.IsZero() && now.Sub(e.since) >= time.Second {
		e.measure(now)
	}
}

// measure takes the last second; the loudest counts, lest the silence before a
// call's end be all that is reported.
func (e *ear) measure(now time.Time) {
	e.since = now
	m := e.now.meter.Measure()
	if m.Level > e.heard.Level-3 {
		e.heard = m
	}
	for _, hz := range m.Tones {
		if m.Level > audible && len(e.tones) < maxTones && !slices.ContainsFunc(e.tones, func(t int) bool { return math.Abs(float64(t)-hz) < 10 }) {
			e.tones = append(e.tones, int(math.Round(hz)))
		}
	}
}

func level(pcm []int16) float64 {
	sum := 0.0
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return 10*math.Log10(sum/float64(len(pcm))/(32768*32768)+1e-20) + 3.01
}

// report closes the ear.
func (e *ear) report(answer time.Time) (*AudioReport, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.packets > 0 {
		e.measure(time.Now())
	}
	r := &AudioReport{
		Codec: string(e.format.Codec), Packets: e.packets, Lost: e.order.Stats().Lost,
		FrequencyHz: int(math.Round(e.heard.Frequency)), LevelDBFS: round(max(e.heard.Level, -124)), FirstMS: -1,
		TonesHz: append([]int{}, e.tones...),
	}
	if !e.first.IsZero() {
		r.FirstMS = max(e.first.Sub(answer).Milliseconds(), 0)
	}
	if e.record != nil {
		if err := e.record.close(); err != nil {
			return r, &os.PathError{Op: "record", Path: e.file, Err: err}
		}
	}
	return r, nil
}
