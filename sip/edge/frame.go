package edge

import "bytes"

// frame is where the first message of a stream ends (RFC 3261 §18.3).
type frame struct {
	// length of the message in bytes, 0 when more has to arrive.
	length int
	// from is where to look for the end of headers once more has arrived.
	from int
	// lost tells that nothing behind this message can be framed: its
	// Content-Length is missing, unreadable, contradicting or too large.
	lost bool
	// over tells that the message is larger than allowed; what has arrived of
	// it is the frame.
	over bool
}

// nextFrame frames the first message of b, which starts with its start line.
// Up to from, b is known to hold no end of headers.
func nextFrame(b []byte, from, most int) frame {
	from = max(0, from-len(endOfHeaders)+1)
	end := bytes.Index(b[from:], endOfHeaders)
	if end < 0 {
		if len(b) > most {
			return frame{length: len(b), lost: true, over: true}
		}
		return frame{from: len(b)}
	}
	head := from + end + len(endOfHeaders)
	length, ok := contentLength(b[:head-len(crlf)])
	switch {
	case !ok:
		return frame{length: head, lost: true}
	case length > most-head:
		return frame{length: head, lost: true, over: true}
	case head+length > len(b):
		return frame{from: from}
	}
	return frame{length: head + length}
}

// contentLength finds the one Content-Length of a header section with its
// start line.
func contentLength(head []byte) (length int, ok bool) {
	_, head, _ = bytes.Cut(head, crlf)
	found := false
	for len(head) > 0 {
		var l line
		var valid bool
		l, head, _, valid = nextLine(head, nil)
		if !valid {
			continue
		}
		if h, is := known(l.name); !is || h.kind != contentLengthKind {
			continue
		}
		n, fits := number(l.value, 1<<31-1)
		if !fits || found && int(n) != length {
			return 0, false
		}
		length, found = int(n), true
	}
	return length, found
}
