package mixer

import (
	"fmt"
	"time"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/jitter"
	"github.com/roomgate/roomgate/media/level"
	"github.com/roomgate/roomgate/media/resample"
)

// Uplink is one input's sound, encoded packet by packet as it comes in. It
// implements media.Track. Each packet carries its RFC 6464 level.
type Uplink struct {
	track
	in      *Input
	through bool // payloads pass untouched

	// Of the input's pipeline.
	encoder   Encoder
	from      int // rate of the samples that the resampler takes
	resampler *resample.Resampler
	resampled []int16
	pcm       []int16
	n         int
	frame     int
	start     int64 // media position of pcm[0], at the encoder's rate
	started   bool
	base      uint32 // RTP timestamp of media position 0
	packets   encoded
	quiet     bool
	hush      hush
	toc       byte // that of the last Opus packet (RFC 6716 §3.1)
}

// Uplink opens the input's own sound as a track, for the SFU. Where f is what
// the input receives, payloads pass untouched; else they are decoded, levelled
// and encoded without waiting for a tick.
func (in *Input) Uplink(f media.Format) (*Uplink, error) {
	u := &Uplink{in: in, through: f.Encodes(in.config.Format), quiet: true}
	if !u.through {
		in.pipeMu.Lock()
		rate := in.pipe.decoder.Rate()
		in.pipeMu.Unlock()
		e, err := in.mixer.config.Codecs.NewEncoder(f, rate)
		if err != nil {
			return nil, fmt.Errorf("uplink of %s: %w", in.config.ID, err)
		}
		u.encoder = e
		u.frame = int(f.PacketDuration() * time.Duration(e.Rate()) / time.Second)
		// What one packet of up to 120 ms brings, and a remainder.
		u.pcm = make([]int16, u.frame+e.Rate()*120/1000+e.Rate()/1000)
	}
	if err := u.open(in.config.ID, f); err != nil {
		return nil, err
	}
	u.base = u.packet.Timestamp
	in.mixer.mu.Lock()
	defer in.mixer.mu.Unlock()
	if in.closed.Load() {
		return nil, ErrClosed
	}
	in.addUplink(u)
	return u, nil
}

// String is the way the sound takes.
func (u *Uplink) String() string {
	if u.through {
		return fmt.Sprintf("reorder -> %s(untouched)", u.format.Codec)
	}
	return fmt.Sprintf("%s(decode) -> %s(encode %d)", u.in.config.Format.Codec, u.format.Codec, u.encoder.Rate())
}

// Close ends the track; idempotent.
func (u *Uplink) Close() {
	u.in.removeUplink(u)
	u.end()
}

// forward passes a packet on untouched; units is its media time in units of
// the RTP clock. Holes in the sequence stay, for the receiver to conceal.
func (u *Uplink) forward(k *jitter.Packet, units int64, dbov float64) {
	if !u.through || u.in.muted.Load() {
		u.quiet = true
		return
	}
	u.packet.SequenceNumber += uint16(1 + min(k.Lost, 100))
	u.packet.Timestamp = u.base + uint32(units)
	u.packet.Marker = k.Marker || u.quiet
	u.packet.Payload = k.Payload
	u.track.level[0] = u.levelByte(dbov)
	u.write()
	u.quiet = false
}

// floorLevel is what counts as silence towards the SFU, dBov.
const floorLevel = -65.0

func (u *Uplink) levelByte(dbov float64) uint8 {
	if dbov < floorLevel {
		return 127
	}
	b := level.Byte(dbov)
	if u.in.speaking(u.in.pipe.now) {
		b |= voiceBit
	}
	return b
}

// samples takes what the pipeline made, at media position in samples of rate.
func (u *Uplink) samples(pcm []int16, position int64, rate int) {
	if u.through || !u.attached() {
		return
	}
	own := int64(u.encoder.Rate())
	position = position * own / int64(rate)
	pcm = u.atOwnRate(pcm, rate)
	if !u.started {
		u.started, u.start = true, position
	}
	// After a pause the rest of the last packet is completed with silence.
	if gap := position - u.start - int64(u.n); gap > own/1000 || gap < -own/1000 {
		if u.n > 0 {
			clear(u.pcm[u.n:u.frame])
			u.n = u.frame
			u.encode()
		}
		u.start, u.quiet = max(position, u.start), true
	}
	for len(pcm) > 0 {
		n := copy(u.pcm[u.n:], pcm)
		u.n += n
		pcm = pcm[n:]
		for u.n >= u.frame {
			u.encode()
		}
	}
}

func (u *Uplink) atOwnRate(pcm []int16, rate int) []int16 {
	if rate == u.encoder.Rate() {
		return pcm
	}
	if u.from != rate {
		r, err := resample.New(rate, u.encoder.Rate())
		if err != nil { // decoders and encoders have rates with simple ratios
			return nil
		}
		u.from, u.resampler = rate, r
		u.resampled = make([]int16, r.Len(rate*120/1000)+r.Len(1))
	}
	return u.resampled[:u.resampler.Write(u.resampled, pcm)]
}

// encode sends the first frame, unless it is one of a pause.
func (u *Uplink) encode() {
	pcm := u.pcm[:u.frame]
	pipe := &u.in.pipe
	verdict := send
	if u.toc != 0 {
		// The level before the gain, which would lift a background to speech.
		verdict = u.hush.frame(u.in.speaking(pipe.now), pipe.smooth, pipe.speech.Background())
	}
	switch verdict {
	case send:
		n, err := u.encoder.Encode(u.packets.payload[:], pcm)
		if err != nil {
			n = 0
		}
		u.put(n, level.DBov(pcm))
	case pause:
		u.packets.payload[0] = u.toc
		u.put(1, level.Silence)
	case skip:
		u.quiet = true
	}
	copy(u.pcm, u.pcm[u.frame:u.n])
	u.n -= u.frame
	u.start += int64(u.frame)
}

// put sends the first n bytes that were encoded; 0 is a pause of the encoder's.
func (u *Uplink) put(n int, dbov float64) {
	if n > 0 {
		if u.format.Codec.Is(string(media.Opus)) {
			u.toc = u.packets.payload[0] &^ 3 // the same with one frame
		}
		u.packet.SequenceNumber++
		u.packet.Timestamp = u.base + uint32(u.start*int64(u.format.ClockRate)/int64(u.encoder.Rate()))
		u.packet.Marker = u.quiet
		u.packet.Payload = u.packets.payload[:n]
		u.track.level[0] = u.levelByte(dbov)
		u.write()
	}
	u.quiet = n == 0
}
