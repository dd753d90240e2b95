package traffic

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/level"
	"github.com/roomgate/roomgate/transcode"
)

// Sound is two seconds of a signal, encoded in packets of 20 ms to be repeated.
type Sound struct {
	Format  media.Format
	Packets [][]byte
	Levels  []uint8 // of each packet, as RFC 6464 has it
	// Loud tells the packets in which a burst begins, of Bursts only.
	Loud []bool
}

// Step is how far the RTP timestamp moves per packet.
func (s *Sound) Step() uint32 { return s.Format.ClockRate / 50 }

// frames is the length of a Sound in packets.
const frames = 100

// signal gives the sample at t seconds.
type signal func(t float64) float64

// Speech is like a voice to codecs and speech detectors: a fundamental with
// harmonics that glides, in syllables, with breath in between.
func Speech(f media.Format, rate int) (*Sound, error) {
	noise := rand.New(rand.NewPCG(1, 2))
	return encode(f, rate, func(t float64) float64 {
		syllable := math.Max(0, math.Sin(2*math.Pi*3*t)) * (0.7 + 0.3*math.Sin(2*math.Pi*0.5*t))
		phase := 2 * math.Pi * (130*t + 6*math.Sin(2*math.Pi*t)/math.Pi)
		voice := 0.0
		for h := 1.0; h <= 20; h++ {
			formants := math.Exp(-sq((h*130-600)/300)) + 0.5*math.Exp(-sq((h*130-1700)/400)) + 0.05
			voice += formants * math.Sin(h*phase)
		}
		return 0.06*syllable*voice + 0.0006*noise.NormFloat64()
	})
}

// Steady is a vowel that is held: every packet of it can be heard.
func Steady(f media.Format, rate int) (*Sound, error) {
	return encode(f, rate, func(t float64) float64 {
		return 0.15*math.Sin(2*math.Pi*220*t) + 0.08*math.Sin(2*math.Pi*660*t) + 0.04*math.Sin(2*math.Pi*1760*t)
	})
}

// Quiet is the sound of a room where nobody speaks, at about -60 dBov.
func Quiet(f media.Format, rate int) (*Sound, error) {
	noise := rand.New(rand.NewPCG(3, 4))
	return encode(f, rate, func(float64) float64 { return 0.0007 * noise.NormFloat64() })
}

// Bursts is quiet but for a loud frame of 440 Hz and its like every 400 ms,
// whose arrival can be told in whatever codec it comes out.
func Bursts(f media.Format, rate int) (*Sound, error) {
	noise := rand.New(rand.NewPCG(5, 6))
	s, err := encode(f, rate, func(t float64) float64 {
		if math.Mod(t, 0.4) < 0.06 {
			return 0.5 * math.Sin(2*math.Pi*440*t)
		}
		return 0.0007 * noise.NormFloat64()
	})
	if err != nil {
		return nil, err
	}
	s.Loud = make([]bool, frames)
	for i := range s.Loud {
		s.Loud[i] = i%20 == 0
	}
	return s, nil
}

func sq(x float64) float64 { return x * x }

func encode(f media.Format, rate int, of signal) (*Sound, error) {
	e, err := (&transcode.Codecs{}).NewEncoder(f, rate)
	if err != nil {
		return nil, fmt.Errorf("sound: %w", err)
	}
	s := &Sound{Format: f}
	pcm, payload := make([]int16, e.Rate()/50), make([]byte, 1500)
	for i := range 2 * frames { // the second round is kept: it joins its own start
		for j := range pcm {
			v := of(float64((i%frames)*len(pcm)+j) / float64(e.Rate()))
			pcm[j] = int16(math.MaxInt16 * math.Max(-1, math.Min(1, v)))
		}
		n, err := e.Encode(payload, pcm)
		if err != nil {
			return nil, fmt.Errorf("sound: %w", err)
		}
		if i >= frames {
			s.Packets = append(s.Packets, append([]byte(nil), payload[:n]...))
			s.Levels = append(s.Levels, loudness(pcm))
		}
	}
	return s, nil
}

// loudness is the level of a packet with the voice bit of RFC 6464.
func loudness(pcm []int16) uint8 {
	dbov := level.DBov(pcm)
	b := level.Byte(dbov)
	if dbov > -45 {
		b |= 0x80
	}
	return b
}
