package q931

import (
	"fmt"
	"strings"
)

// ProgressIndicator tells about interworking on the way (Q.931 4.5.23).
type ProgressIndicator struct {
	Standard, Location uint8
	Description        uint8 // 1 not end-to-end ISDN, 2 and 3 the parties are not ISDN, 8 in-band information
}

// InBand is the description of tones or announcements in the media.
const InBand = 8

// Element gives the information element.
func (p ProgressIndicator) Element() Element {
	return Element{ID: ProgressID, Data: []byte{0x80 | p.Standard&3<<5 | p.Location&0x0F, 0x80 | p.Description&0x7F}}
}

// ParseProgress reads a progress indicator.
func ParseProgress(e Element) (p ProgressIndicator, err error) {
	if e.ID != ProgressID || len(e.Data) < 2 {
		return p, fmt.Errorf("%w: progress indicator", ErrElement)
	}
	return ProgressIndicator{e.Data[0] >> 5 & 3, e.Data[0] & 0x0F, e.Data[1] & 0x7F}, nil
}

// DisplayElement is text for the user (Q.931 4.5.16): IA5, at most 82 octets. Longer text
// is cut between characters.
func DisplayElement(text string) Element {
	const longest = 82
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "")
	}
	return Element{ID: DisplayID, Data: []byte(text)}
}

// ParseDisplay reads a display element. Some terminals end it with a zero octet.
func ParseDisplay(e Element) string {
	return strings.TrimRight(string(e.Data), "\x00")
}

// KeypadElement carries the digits that a user keyed in (Q.931 4.5.18).
func KeypadElement(digits string) Element { return Element{ID: KeypadID, Data: []byte(digits)} }

// FacilityElement is the facility element. H.225.0 leaves it empty: the services travel in
// the user-user element.
func FacilityElement(data []byte) Element { return Element{ID: FacilityID, Data: data} }

// Signals of Q.931 4.5.28.
const (
	SignalDialTone uint8 = 0x00
	SignalRingBack uint8 = 0x01
	SignalBusy     uint8 = 0x04
	SignalTonesOff uint8 = 0x3F
	SignalAlertOff uint8 = 0x4F
)

// SignalElement tells which tone the user is to hear.
func SignalElement(value uint8) Element { return Element{ID: SignalID, Data: []byte{value}} }

// CallStateElement is the state that a STATUS reports (Q.931 4.5.7).
func CallStateElement(state uint8) Element {
	return Element{ID: CallStateID, Data: []byte{state & 0x3F}}
}

// NotificationElement is the notification indicator (Q.931 4.5.22): 0 suspended, 1 resumed.
func NotificationElement(description uint8) Element {
	return Element{ID: NotificationID, Data: []byte{0x80 | description&0x7F}}
}

// ParseOctet reads an element of one octet of contents: a signal, a call state or a
// notification indicator, without the extension bit.
func ParseOctet(e Element) (uint8, error) {
	if len(e.Data) == 0 {
		return 0, fmt.Errorf("%w: empty %s", ErrElement, e.ID)
	}
	return e.Data[0] & 0x7F, nil
}

// SendingCompleteElement tells that all digits of the number are there.
func SendingCompleteElement() Element { return Element{ID: SendingCompleteID} }
