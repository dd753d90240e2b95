package media

import (
	"fmt"
	"strings"
	"time"
)

// Codec is an encoding name as registered for RTP. Compare with Is: the names
// are case-insensitive on the wire.
type Codec string

// Codecs the gateway knows by name.
const (
	PCMU           Codec = "PCMU"
	PCMA           Codec = "PCMA"
	G722           Codec = "G722"
	G7221          Codec = "G7221"
	G729           Codec = "G729"
	Opus           Codec = "opus"
	TelephoneEvent Codec = "telephone-event"
	ComfortNoise   Codec = "CN"
	H264           Codec = "H264"
	H263           Codec = "H263"      // RFC 2190
	H263Plus       Codec = "H263-1998" // RFC 4629
	H2632000       Codec = "H263-2000" // RFC 4629
	H261           Codec = "H261"      // RFC 4587
	VP8            Codec = "VP8"
	VP9            Codec = "VP9"
	AV1            Codec = "AV1"
	H224           Codec = "H224" // control of cameras, RFC 4573
)

// Is compares names as RFC 4855 §3 asks: without regard to case.
func (c Codec) Is(name string) bool { return strings.EqualFold(string(c), name) }

// Format is one codec with the parameters that were negotiated for it.
type Format struct {
	Codec       Codec
	PayloadType uint8 // as negotiated with the peer that owns the track
	ClockRate   uint32
	Channels    uint8
	// Ptime is the packet length to send; zero means 20 ms.
	Ptime time.Duration
	// Bitrate tells the modes of G7221 apart, in bit/s: 24000, 32000 or, at
	// 32 kHz (Annex C), 48000. Zero where it was not stated, or means nothing.
	Bitrate int
	// H264 is set when Codec is H264, Opus when it is Opus, H263 when it is
	// H263, H263Plus or H261.
	H264 H264Format
	Opus OpusFormat
	H263 H263Format
}

// H263Format holds the picture sizes and options a receiver of H.263, or of
// H.261 (QCIF and CIF only), takes (RFC 4629 §8.1, RFC 4587 §6).
type H263Format struct {
	// Minimum picture intervals, in units of 1001/30000 s: 1 is 29.97 frames
	// a second, 2 half of that. Zero: the size is not taken.
	SQCIF, QCIF, CIF, CIF4, CIF16 uint8
	// Optional modes of H.263 by their annexes.
	AnnexD, AnnexE, AnnexF, AnnexG bool
	AnnexI, AnnexJ, AnnexK, AnnexT bool
	// MaxBR is the greatest bit rate taken, in units of 100 bit/s (RFC 4629 §8.1.1, H.245
	// maxBitRate); zero: not stated.
	MaxBR uint32
}

// OpusFormat holds what a receiver of Opus asked for (RFC 7587 §6.1).
type OpusFormat struct {
	InbandFEC       bool
	DTX             bool
	Stereo          bool // the receiver prefers stereo
	MaxAverage      int  // maxaveragebitrate, bit/s; 0 = not stated
	MaxPlaybackRate int  // Hz; 0 = not stated
}

// H264Format holds the limits of a receiver of H.264 (RFC 6184 §8.1). The
// optional fields raise what ProfileLevelID states; zero means not stated.
type H264Format struct {
	ProfileLevelID    uint32 // three bytes: profile_idc, profile-iop, level_idc
	PacketizationMode uint8
	AsymmetryAllowed  bool
	MaxMBPS           uint32 // macroblocks a second
	MaxFS             uint32 // macroblocks a frame
	MaxBR             uint32 // units of 1000 or 1200 bit/s, RFC 6184 §8.1
	MaxCPB            uint32
	MaxDPB            uint32
	MaxSMBPS          uint32
	MaxFPS            uint32 // Cisco's extension, hundredths of a frame a second
	// ParameterSets is sprop-parameter-sets, decoded, as comma-free raw NAL
	// units joined by Annex B start codes; a string so that Format compares.
	ParameterSets string
}

// Encodes reports whether both formats carry the same encoding: codec, clock,
// channels and bit rate, and for H.264 nothing more (profiles are a matter of
// fit).
func (f Format) Encodes(o Format) bool {
	return f.Codec.Is(string(o.Codec)) && f.ClockRate == o.ClockRate && f.Bitrate == o.Bitrate &&
		max(f.Channels, 1) == max(o.Channels, 1)
}

// PacketDuration is Ptime, or 20 ms where none was agreed.
func (f Format) PacketDuration() time.Duration {
	if f.Ptime <= 0 {
		return 20 * time.Millisecond
	}
	return f.Ptime
}

func (f Format) String() string {
	if f.Channels > 1 {
		return fmt.Sprintf("%s/%d/%d", f.Codec, f.ClockRate, f.Channels)
	}
	return fmt.Sprintf("%s/%d", f.Codec, f.ClockRate)
}
