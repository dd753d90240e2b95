package mixer

import (
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/dtmf"
	"github.com/roomgate/roomgate/media/jitter"
	"github.com/roomgate/roomgate/media/level"
	"github.com/roomgate/roomgate/media/noise"
)

// pipeline turns the packets of an input into samples. Whoever holds the
// input's pipeMu runs it.
type pipeline struct {
	in      *Input
	now     time.Time
	reorder *jitter.Reorder

	decoder Decoder
	wanted  int       // the rate it was made for
	overdue time.Time // when it is changed even in the midst of speech

	timeline timeline
	end      int64 // media position after the last sample made
	gain     level.Gain
	speech   level.Speech
	smooth   float64 // level, dBov
	keypad   *dtmf.Detector
	sleep    sleep

	malformed, slept uint64
	noise            rtp.Packet // scratch of Input.Noise
	pcm              [120 * 48]int16
}

// longestConcealed bounds how much of a hole is filled; the rest is silence.
const longestConcealed = 100 * time.Millisecond

// rateChangeWait is how long a change of rate waits for a pause.
const rateChangeWait = 5 * time.Second

func (p *pipeline) open(in *Input, rate int) error {
	p.in = in
	p.reorder = jitter.NewReorder(p.packet)
	p.smooth = level.Silence
	p.timeline.clock = int64(max(in.config.Format.ClockRate, 1))
	return p.openDecoder(rate)
}

func (p *pipeline) openDecoder(rate int) error {
	p.wanted, p.overdue = rate, time.Time{}
	d, err := p.in.mixer.config.Codecs.NewDecoder(p.in.config.Format, rate)
	if err != nil {
		return err
	}
	if p.decoder != nil && d.Rate() == p.decoder.Rate() {
		return nil // this codec has but one rate
	}
	p.decoder = d
	p.end = p.timeline.samples(d.Rate())
	if p.in.config.InbandKeypad != nil {
		p.keypad = dtmf.NewDetector(d.Rate(), p.in.config.InbandKeypad)
	}
	p.in.playoutMu.Lock()
	p.in.playout = jitter.NewPlayout(d.Rate())
	p.in.playoutMu.Unlock()
	return nil
}

// followRate changes the decoder's rate to the one the mixer needs, in a pause
// if one comes soon.
func (p *pipeline) followRate() {
	want := int(p.in.mixer.top.Load())
	if want == p.wanted {
		return
	}
	if p.overdue.IsZero() {
		p.overdue = p.now.Add(rateChangeWait)
	}
	if p.in.speaking(p.now) && p.now.Before(p.overdue) {
		return
	}
	// A codec that decoded at one rate does at another.
	_ = p.openDecoder(want)
}

// packet takes the next packet in order.
func (p *pipeline) packet(k *jitter.Packet) {
	p.followRate()
	rate := p.decoder.Rate()
	p.timeline.advance(k)
	if p.timeline.rebased {
		p.end = p.timeline.samples(rate)
	}
	position := p.timeline.samples(rate)
	if k.PayloadType == noise.PayloadType && !p.in.config.Format.Codec.Is(string(media.Opus)) {
		p.comfortNoise(k, position)
		return
	}
	if p.sleep.through(k) && len(*p.in.uplinks.Load()) == 0 {
		p.doze(k)
		return
	}
	p.wake()
	p.conceal(k, position, rate)
	n, err := p.decoder.Decode(p.pcm[:], k.Payload)
	if err != nil {
		p.malformed++
		return
	}
	p.timeline.length = int64(n) * p.timeline.clock / int64(rate)
	p.emit(p.pcm[:n], position, false)
	for _, u := range *p.in.uplinks.Load() {
		u.forward(k, p.timeline.units, p.smooth)
	}
}

// conceal fills the hole before a packet that lost ones precede: from the copy
// in this packet where the codec has one.
func (p *pipeline) conceal(k *jitter.Packet, position int64, rate int) {
	hole := min(position-p.end, int64(rate)*int64(longestConcealed)/int64(time.Second))
	hole -= hole % int64(rate/400)
	if k.Lost == 0 || hole <= 0 {
		return
	}
	pcm := p.pcm[:hole]
	r, recovers := p.decoder.(Recoverer)
	if !recovers || r.Recover(pcm, k.Payload) != nil {
		p.decoder.Conceal(pcm)
	}
	// What was recovered is worth a longer delay, so that the next one comes in
	// time; a guess is not: the playout buffer has made its own.
	p.emit(pcm, position-hole, !recovers)
}

// comfortNoise honours an RFC 3389 packet: the source pauses.
func (p *pipeline) comfortNoise(k *jitter.Packet, position int64) {
	background, err := noise.Parse(k.Payload)
	if err != nil {
		p.malformed++
		return
	}
	p.end = position
	p.setLevel(level.Silence)
	p.in.playoutMu.Lock()
	p.in.playout.Pause(background)
	p.in.playoutMu.Unlock()
}

// emit measures and levels samples and passes them on.
func (p *pipeline) emit(pcm []int16, position int64, made bool) {
	p.end = position + int64(len(pcm))
	muted := p.in.muted.Load()
	if p.keypad != nil && !made {
		p.keypad.Write(pcm)
	}
	rate := p.decoder.Rate()
	for rest := pcm; len(rest) > 0; {
		frame := rest[:min(rate/50, len(rest))]
		rest = rest[len(frame):]
		dbov := level.DBov(frame)
		speech := p.speech.Write(dbov) && !muted
		if speech {
			p.in.lastVoice.Store(p.now.UnixNano())
		}
		if muted {
			clear(frame)
			dbov = level.Silence
		}
		p.setLevel(dbov)
		if p.in.config.AGC {
			p.gain.Apply(frame, rate, dbov, speech)
		}
		if tap := p.in.tap.Load(); tap != nil {
			(*tap)(frame, rate, speech)
		}
	}
	for _, u := range *p.in.uplinks.Load() {
		u.samples(pcm, position, rate)
	}
	p.in.playoutMu.Lock()
	p.in.playout.Write(pcm, position, made, p.now.UnixNano())
	p.in.playoutMu.Unlock()
}

// setLevel follows a louder frame at once and a quieter one at 20 dB in 0.2 s.
func (p *pipeline) setLevel(dbov float64) {
	p.smooth = max(dbov, p.smooth-2)
	p.in.setLevel(p.smooth)
}

// doze passes over a packet of silence without decoding it.
func (p *pipeline) doze(k *jitter.Packet) {
	p.slept++
	p.setLevel(level.FromByte(k.Level))
	if !p.sleep.asleep {
		p.sleep.asleep = true
		p.in.playoutMu.Lock()
		p.in.playout.Pause(noise.White(level.Silence))
		p.in.playoutMu.Unlock()
	}
	p.sleep.keep(k.Payload)
}

// wake brings the decoder's state up to the packet about to be decoded, by the
// last packets that were passed over. Their sound is not used.
func (p *pipeline) wake() {
	if !p.sleep.asleep {
		return
	}
	p.sleep.asleep = false
	for i := range p.sleep.kept {
		kept := p.sleep.kept[(p.sleep.next+i)%len(p.sleep.kept)]
		if len(kept) > 0 {
			if _, err := p.decoder.Decode(p.pcm[:], kept); err != nil {
				p.malformed++
			}
		}
	}
	p.sleep.forget()
	p.end = p.timeline.samples(p.decoder.Rate())
}
