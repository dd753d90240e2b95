package dialog

import "errors"

// The two refusals of an offer that comes at the wrong time.
var (
	// ErrGlare: we have an offer of our own on the way. Answer 491
	// (RFC 3261 §14.2, RFC 3311 §5.2).
	ErrGlare = errors.New("offer crosses an offer of our own")
	// ErrBusy: an earlier offer of the far side is not answered yet. Answer 500
	// with Retry-After of 0 to 10 s (RFC 3261 §14.2, RFC 3311 §5.2).
	ErrBusy = errors.New("an earlier offer is not answered yet")
	// ErrOrder is returned where we ourselves break the model of RFC 3264.
	ErrOrder = errors.New("offer or answer out of order")
)

// OfferState is the state of the offer/answer model (RFC 3264 §4).
type OfferState uint8

// The states.
const (
	Idle        OfferState = iota // nothing negotiated yet
	Stable                        // an answer stands
	LocalOffer                    // we offered, an answer is due
	RemoteOffer                   // they offered, we owe an answer
)

// Negotiation tracks one offer/answer exchange at a time within a dialog.
type Negotiation struct {
	state  OfferState
	before OfferState
	invite bool // the exchange in progress rides on an INVITE
}

// State is the present state.
func (n *Negotiation) State() OfferState { return n.state }

// OfferSent: our offer left (in an INVITE, UPDATE, 2xx, reliable 1xx, PRACK).
func (n *Negotiation) OfferSent() error {
	if n.state != Idle && n.state != Stable {
		return ErrOrder
	}
	n.before, n.state = n.state, LocalOffer
	return nil
}

// OfferReceived: the far side offers.
func (n *Negotiation) OfferReceived() error {
	switch n.state {
	case LocalOffer:
		return ErrGlare
	case RemoteOffer:
		return ErrBusy
	}
	n.before, n.state = n.state, RemoteOffer
	return nil
}

// AnswerSent: we answered their offer.
func (n *Negotiation) AnswerSent() error {
	if n.state != RemoteOffer {
		return ErrOrder
	}
	n.state = Stable
	return nil
}

// AnswerReceived: they answered our offer.
func (n *Negotiation) AnswerReceived() error {
	if n.state != LocalOffer {
		return ErrOrder
	}
	n.state = Stable
	return nil
}

// Rejected: the exchange in progress came to nothing; what stood before still
// stands (RFC 3261 §14.1, RFC 3264 §8).
func (n *Negotiation) Rejected() {
	if n.state == LocalOffer || n.state == RemoteOffer {
		n.state = n.before
	}
}
