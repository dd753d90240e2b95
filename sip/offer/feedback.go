package offer

import (
	"slices"
	"strconv"
	"strings"
)

// Feedback are the RTCP messages both sides agreed to (RFC 4585, RFC 5104,
// and REMB).
type Feedback struct {
	NACK  bool // generic NACK
	PLI   bool
	FIR   bool
	TMMBR bool
	REMB  bool
}

// feedbackName is one message as it stands in a=rtcp-fb.
type feedbackName struct {
	text string
	set  func(*Feedback)
}

var feedbackNames = []feedbackName{
	{"nack", func(f *Feedback) { f.NACK = true }},
	{"nack pli", func(f *Feedback) { f.PLI = true }},
	{"ccm fir", func(f *Feedback) { f.FIR = true }},
	{"ccm tmmbr", func(f *Feedback) { f.TMMBR = true }},
	{"goog-remb", func(f *Feedback) { f.REMB = true }},
}

// feedbackLine is one a=rtcp-fb: payload type or *, and the message.
type feedbackLine struct {
	target, text string
}

func (l feedbackLine) String() string { return l.target + " " + l.text }

// feedback reads the a=rtcp-fb lines that hold for a payload type, of the
// messages we know. Parameters after the message are forgotten; several ccm
// messages on one line count each.
func (s *Section) feedback(pt uint8) (agreed Feedback, lines []feedbackLine) {
	for _, value := range s.all("rtcp-fb") {
		f := strings.Fields(strings.ToLower(value))
		if len(f) < 2 || f[0] != "*" && f[0] != strconv.Itoa(int(pt)) {
			continue
		}
		for _, text := range feedbackTexts(f[1], f[2:]) {
			line := feedbackLine{f[0], text}
			if slices.Contains(lines, line) {
				continue
			}
			for _, n := range feedbackNames {
				if n.text == text {
					n.set(&agreed)
					lines = append(lines, line)
				}
			}
		}
	}
	return agreed, lines
}

// feedbackTexts are the messages of one line.
func feedbackTexts(kind string, rest []string) []string {
	switch {
	case len(rest) == 0:
		return []string{kind}
	case kind == "ccm":
		var texts []string
		for _, r := range rest {
			texts = append(texts, kind+" "+r)
		}
		return texts
	}
	return []string{kind + " " + rest[0]}
}

// offeredFeedback is what we ask for video, as room systems do even on RTP/AVP.
var offeredFeedback = []feedbackLine{{"*", "nack"}, {"*", "nack pli"}, {"*", "ccm fir"}, {"*", "ccm tmmbr"}}

// and keeps what both have.
func (f Feedback) and(o Feedback) Feedback {
	return Feedback{
		NACK: f.NACK && o.NACK, PLI: f.PLI && o.PLI, FIR: f.FIR && o.FIR,
		TMMBR: f.TMMBR && o.TMMBR, REMB: f.REMB && o.REMB,
	}
}
