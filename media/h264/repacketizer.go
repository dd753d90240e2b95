package h264

import (
	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// Repacketizer is a stage that takes H.264 in any packetization and sends it
// on in one mode, in packets of bounded length, with parameter sets before
// each IDR. It starts at an IDR whose parameter sets it knows.
type Repacketizer struct {
	next media.Writer
}

// RepacketizerConfig says what a Repacketizer writes.
type RepacketizerConfig struct {
	Mode      uint8 // 0 or 1
	MaxPacket int   // RTP header included; 0 = DefaultPacket
	// ParameterSets known from signalling, as in media.H264Format.
	ParameterSets string
	// NeedKeyframe is called when nothing can be sent without one: at the
	// start, and after a loss. It must not block and is called often: wrap a
	// Throttle. May be nil.
	NeedKeyframe func()
	// Changed is called at the IDR that starts a picture size or profile
	// unlike the one before. May be nil.
	Changed func(SPS)
}

// NewRepacketizer writes to next.
func NewRepacketizer(next media.Writer, cfg RepacketizerConfig) *Repacketizer {
	return &Repacketizer{next: next}
}

// WriteRTP implements media.Writer.
func (r *Repacketizer) WriteRTP(p *rtp.Packet) error { return nil }

func (r *Repacketizer) String() string { return "" }
