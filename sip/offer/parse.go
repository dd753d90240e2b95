package offer

import (
	"fmt"
	"mime"
	"strings"
)

// Parse reads a SIP body. contentType is the header's value; empty means
// application/sdp, or multipart when the body looks like it. Out of multipart
// the last session description that can be used is taken (RFC 2046 §5.1.4).
// Lines that cannot be read are skipped: the body is refused only when v=, o=
// or every m-line is unusable, with an error that wraps ErrNoSDP or ErrUnusable.
func Parse(body []byte, contentType string) (*Description, error) {
	return parseEntity(string(body), contentType, 0)
}

// maxNesting bounds multipart within multipart.
const maxNesting = 3

func parseEntity(body, contentType string, depth int) (*Description, error) {
	if strings.TrimSpace(body) == "" {
		return nil, fmt.Errorf("%w: it is empty", ErrNoSDP)
	}
	kind, boundary := mediaType(contentType)
	if kind == "" && strings.HasPrefix(strings.TrimLeft(body, "\r\n"), "--") {
		kind = "multipart/mixed"
	}
	switch {
	case kind == "" || kind == "application/sdp":
		return parseSession(body)
	case strings.HasPrefix(kind, "multipart/") && depth < maxNesting:
		return parseMultipart(body, boundary, depth)
	}
	return nil, fmt.Errorf("%w: content type %.64q", ErrNoSDP, kind)
}

// parseMultipart takes the last part that is understood.
func parseMultipart(body, boundary string, depth int) (*Description, error) {
	err := fmt.Errorf("%w: no such part in multipart", ErrNoSDP)
	parts := splitParts(body, boundary)
	for i := len(parts) - 1; i >= 0; i-- {
		contentType := parts[i].contentType
		if contentType == "" {
			continue // text/plain, RFC 2046 §5.1
		}
		d, partErr := parseEntity(parts[i].body, contentType, depth+1)
		if partErr == nil {
			return d, nil
		}
		err = partErr
	}
	return nil, err
}

// mediaType splits a Content-Type value; parameters that mime refuses are
// forgotten rather than the type.
func mediaType(value string) (kind, boundary string) {
	kind, params, err := mime.ParseMediaType(value)
	if err != nil {
		kind, _, _ = strings.Cut(value, ";")
		return strings.ToLower(strings.TrimSpace(kind)), ""
	}
	return kind, params["boundary"]
}
