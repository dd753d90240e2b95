package h264

import "github.com/roomgate/roomgate/media"

// DefaultPacket is the length of the longest packet sent, RTP header included.
const DefaultPacket = 1200

// Facts is what is known of a stream: what its parameter sets state and what
// was measured. Zero values mean not known yet.
type Facts struct {
	SPS         SPS
	SliceGroups bool    // the PPS has more than one (FMO, Baseline only)
	FPS         float64 // measured; the VUI's is used when zero
	Bitrate     int     // measured, bit/s
	LargestNAL  int     // bytes
}

// Receiver is what a receiver of H.264 takes.
type Receiver struct {
	Format     media.H264Format
	MaxBitrate int  // bit/s of media, on top of the level's; 0 = the level's
	MaxPacket  int  // RTP header included; 0 = DefaultPacket
	AnySize    bool // takes portrait and unusual sizes (software clients)
}

// Fits reports whether r can show a stream as it is, without decoding and
// encoding it anew; reason says why not, in words for operators.
func Fits(f Facts, r Receiver) (ok bool, reason string) { return true, "" }
