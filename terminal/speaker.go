package terminal

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/media/tone"
	"github.com/roomgate/roomgate/transcode"
)

// toneLevel is what the terminal talks at, dBFS.
const toneLevel = -12

// sound fills blocks of samples, one after the other.
type sound interface{ Read(pcm []int16) }

type silence struct{}

func (silence) Read(pcm []int16) { clear(pcm) }

// talk is the audio the terminal sends.
type talk struct {
	track
	sound   sound
	encoder mixer.Encoder
	pcm     []int16
	payload []byte
	packet  rtp.Packet
}

// newTalk encodes what the options ask for in the format agreed on.
func (p *prepared) newTalk(ctx context.Context, f media.Format) (*talk, error) {
	rate := samplingRate(f)
	from, err := p.sound(rate)
	if err != nil {
		return nil, err
	}
	encoder, err := (&transcode.Codecs{}).NewEncoder(f, rate)
	if err != nil {
		return nil, fmt.Errorf("audio to send: %w", err)
	}
	t := &talk{
		track: track{id: "talk", role: media.Audio, format: f}, sound: from, encoder: encoder,
		pcm:     make([]int16, int(f.PacketDuration().Milliseconds())*rate/1000),
		payload: make([]byte, 1500),
		packet: rtp.Packet{Header: rtp.Header{
			Version: 2, Marker: true, SequenceNumber: uint16(rand.Uint32N(1 << 15)), Timestamp: rand.Uint32(),
		}},
	}
	t.start(ctx, t.run)
	return t, nil
}

func (p *prepared) sound(rate int) (sound, error) {
	switch {
	case p.Sync && strings.HasPrefix(p.Video, "card:"):
		b := newBeeper(rate)
		p.beeper.Store(b)
		return b, nil
	case p.hertz > 0:
		return tone.NewGenerator(rate, p.hertz, toneLevel), nil
	case p.Audio == "silence":
		return silence{}, nil
	}
	return openWAV(p.Audio, rate)
}

func (t *talk) run(ctx context.Context) {
	every := t.format.PacketDuration()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	start, sent := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			// A tick that was missed on a busy machine is made good for.
			for ; sent < int(now.Sub(start)/every); sent++ {
				t.say()
			}
		}
	}
}

// say sends the next packet.
func (t *talk) say() {
	t.sound.Read(t.pcm)
	n, err := t.encoder.Encode(t.payload, t.pcm)
	if err == nil && n > 0 {
		t.packet.Payload = t.payload[:n]
		_ = t.WriteRTP(&t.packet)
		t.packet.SequenceNumber++
		t.packet.Marker = false
	}
	t.packet.Timestamp += uint32(t.format.PacketDuration() * time.Duration(t.format.ClockRate) / time.Second)
}
