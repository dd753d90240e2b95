package h264

import "github.com/pion/rtp"

// maxUnit bounds the memory a peer can make us keep: no level up to 5.2 needs
// units longer than this at conference rates.
const maxUnit = 2 << 20

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
	unit   func(Unit)
	lost   func(packets int)
	pass   func(segment) // method values, made once: making them allocates
	gap    func(int)
	window window

	fragments []byte // of the unit under way
	inUnit    bool
	stamp     uint32 // of the unit under way
	stats     DepacketizerStats
}

// DepacketizerStats count since the beginning.
type DepacketizerStats struct {
	Units     uint64
	Lost      uint64 // packets that did not come
	Late      uint64 // packets that came twice or too late
	Damaged   uint64 // units dropped because a fragment is missing
	Malformed uint64 // payloads that are not RFC 6184 modes 0 or 1
}

// NewDepacketizer hands every whole unit to unit. lost, which may be nil, hears
// of packets that did not come, before the units behind the gap; and, with
// zero, of units dropped for other faults.
func NewDepacketizer(unit func(Unit), lost func(packets int)) *Depacketizer {
	d := &Depacketizer{unit: unit, lost: lost}
	d.pass, d.gap = d.segment, d.missing
	return d
}

// WriteRTP takes the next packet in order of arrival. Bad payloads are counted
// and dropped; the error is always nil.
func (d *Depacketizer) WriteRTP(p *rtp.Packet) error {
	d.window.push(p, d.pass, d.gap)
	return nil
}

// Stats gives the counters.
func (d *Depacketizer) Stats() DepacketizerStats {
	s := d.stats
	s.Late = d.window.late
	return s
}

func (d *Depacketizer) missing(packets int) {
	d.stats.Lost += uint64(packets)
	d.abandon()
	d.report(packets)
}

func (d *Depacketizer) report(packets int) {
	if d.lost != nil {
		d.lost(packets)
	}
}

// abandon drops the unit under way.
func (d *Depacketizer) abandon() bool {
	if !d.inUnit {
		return false
	}
	d.inUnit = false
	d.stats.Damaged++
	return true
}

func (d *Depacketizer) malformed() {
	d.stats.Malformed++
	d.report(0)
}

// segment takes the payload of the next packet in order of sequence.
func (d *Depacketizer) segment(s segment) {
	if len(s.payload) == 0 {
		return // padding or keep-alive
	}
	t := TypeOf(s.payload)
	if t != fuA && d.abandon() { // its end never came
		d.report(0)
	}
	switch {
	case s.payload[0]&0x80 != 0: // forbidden_zero_bit: damaged on the way
		d.malformed()
	case t == 0 || t > fuB: // stuffing of media servers that have nothing to send
	case t < stapA:
		d.deliver(s.payload, s.timestamp, s.marker)
	case t == stapA:
		d.aggregate(s)
	case t == fuA:
		d.fragment(s)
	default: // STAP-B, MTAP and FU-B are of mode 2
		d.malformed()
	}
}

func (d *Depacketizer) deliver(nal []byte, timestamp uint32, last bool) {
	d.stats.Units++
	d.unit(Unit{nal, timestamp, last})
}

// aggregate takes a STAP-A apart (RFC 6184 §5.7.1).
func (d *Depacketizer) aggregate(s segment) {
	nal, rest, ok := cutAggregate(s.payload[1:])
	if !ok {
		d.malformed()
		return
	}
	for ok {
		var next []byte
		next, rest, ok = cutAggregate(rest)
		if t := TypeOf(nal); t > 0 && t < stapA {
			d.deliver(nal, s.timestamp, s.marker && !ok)
		} else {
			d.malformed()
		}
		nal = next
	}
	if len(rest) > 0 {
		d.malformed()
	}
}

func cutAggregate(b []byte) (nal, rest []byte, ok bool) {
	if len(b) < 3 {
		return nil, b, false
	}
	size := int(b[0])<<8 | int(b[1])
	if size == 0 || size > len(b)-2 {
		return nil, b, false
	}
	return b[2 : 2+size], b[2+size:], true
}

// fragment takes an FU-A (RFC 6184 §5.8).
func (d *Depacketizer) fragment(s segment) {
	const start, end = 0x80, 0x40
	if len(s.payload) < 3 {
		d.malformed()
		return
	}
	header := s.payload[1]
	if header&start != 0 {
		if d.abandon() {
			d.report(0)
		}
		if t := Type(header & 0x1f); t == 0 || t >= stapA {
			d.malformed()
			return
		}
		d.inUnit, d.stamp = true, s.timestamp
		d.fragments = append(d.fragments[:0], s.payload[0]&0xe0|header&0x1f)
	}
	if !d.inUnit {
		return // its start was lost, which was reported
	}
	if s.timestamp != d.stamp || len(d.fragments)+len(s.payload) > maxUnit ||
		header&0x1f != d.fragments[0]&0x1f {
		d.abandon()
		d.malformed()
		return
	}
	d.fragments = append(d.fragments, s.payload[2:]...)
	if header&end != 0 {
		d.inUnit = false
		d.deliver(d.fragments, s.timestamp, s.marker)
	}
}
