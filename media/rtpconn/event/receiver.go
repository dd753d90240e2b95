package event

// Receiver turns the packets of one source into keys pressed. A press is told
// by its timestamp, never by the marker bit, which many terminals leave out; it
// is reported at its first packet, whichever that is, so a lost start or a lost
// end does no harm. The zero value is ready.
type Receiver struct {
	started  bool
	ended    bool
	code     uint8
	stamp    uint32 // of the press
	duration uint16 // the longest reported
}

// stale is how far behind, in units of the clock (10 s at 48 kHz), a timestamp
// may be and still belong to a packet that was held up on its way.
const stale = 480_000

// Push takes a packet. ok is true when it begins the press of a key.
func (r *Receiver) Push(timestamp uint32, payload []byte) (digit rune, ok bool, err error) {
	var e Event
	if err := e.Unmarshal(payload); err != nil {
		return 0, false, err
	}
	if r.started && r.known(timestamp, e) {
		return 0, false, nil
	}
	r.started, r.ended = true, e.End
	r.code, r.stamp, r.duration = e.Code, timestamp, e.Duration
	digit, ok = Digit(e.Code)
	return digit, ok, nil
}

// Reset forgets the press: the source has changed.
func (r *Receiver) Reset() { *r = Receiver{} }

// known reports whether the packet belongs to the press at hand, or to an
// earlier one.
func (r *Receiver) known(timestamp uint32, e Event) bool {
	ahead := timestamp - r.stamp
	switch {
	case ahead == 0:
		r.extend(e)
		return true
	case -ahead < stale: // earlier: an old packet overtaken by a new press
		return true
	case e.Code == r.code && !r.ended && ahead <= uint32(r.duration):
		// The key is still down: a segment of a long press, whose timestamp
		// moves on by the duration of the segment before (§2.5.1.3), or a
		// sender that stamps each packet anew.
		r.stamp, r.duration = timestamp, 0
		r.extend(e)
		return true
	}
	return false
}

func (r *Receiver) extend(e Event) {
	r.ended = r.ended || e.End
	r.duration = max(r.duration, e.Duration)
}
