package offer

// Offer makes an offer: the first of a dialog when previous is nil, otherwise a
// new one in which every m-line keeps its place. The body names what
// local.Capabilities ask for; hold is Capabilities.Hold. Complete takes the
// state returned.
func Offer(local *Local, previous *State) (body []byte, offered *State, err error) {
	return nil, nil, ErrNoCommonMedia
}
