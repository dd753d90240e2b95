package offer

import "strings"

// maxParts bounds the parts of a multipart body that are looked at.
const maxParts = 16

type part struct {
	contentType string
	body        string
}

// splitParts cuts a multipart body (RFC 2046 §5.1). Without a boundary the
// first line that begins with two hyphens is taken for one. A missing last
// delimiter is forgiven.
func splitParts(body, boundary string) []part {
	var (
		parts   []part
		start   = -1 // of the part we are in
		offset  int
		closing bool
	)
	for offset < len(body) && !closing && len(parts) < maxParts {
		line, next := cutLine(body, offset)
		if boundary == "" && strings.HasPrefix(line, "--") {
			boundary = strings.TrimRight(line[2:], " \t")
		}
		rest, found := strings.CutPrefix(line, "--"+boundary)
		rest = strings.TrimRight(rest, " \t")
		if boundary != "" && found && (rest == "" || rest == "--") {
			if start >= 0 {
				parts = append(parts, readPart(body[start:offset]))
			}
			start, closing = next, rest == "--"
		}
		offset = next
	}
	if start >= 0 && !closing && len(parts) < maxParts && start < len(body) {
		parts = append(parts, readPart(body[start:]))
	}
	return parts
}

// cutLine returns the line that begins at offset, without its end, and the
// offset of the next one.
func cutLine(body string, offset int) (line string, next int) {
	end := strings.IndexByte(body[offset:], '\n')
	if end < 0 {
		return strings.TrimSuffix(body[offset:], "\r"), len(body)
	}
	return strings.TrimSuffix(body[offset:offset+end], "\r"), offset + end + 1
}

// readPart separates the headers of a part from its content.
func readPart(text string) part {
	var p part
	for offset := 0; offset < len(text); {
		line, next := cutLine(text, offset)
		offset = next
		if line == "" {
			p.body = text[offset:]
			break
		}
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(strings.TrimSpace(name), "content-type") {
			p.contentType = strings.TrimSpace(value)
		}
	}
	return p
}
