package offer

// Complete reads the answer to an offer of ours. offered is what Offer
// returned, local what it was made with. The answer may be far from RFC 3264:
// codecs never offered, fewer or more m-lines, a profile of its own, several
// payload types, all of it is read as far as it makes sense.
func Complete(offered *State, answer *Description, local *Local) (*Result, error) {
	return nil, ErrNotOffered
}
