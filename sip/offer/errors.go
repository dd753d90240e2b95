package offer

import "errors"

// Errors that callers tell apart.
var (
	// ErrNoSDP: the body holds no session description at all (SIP 415).
	ErrNoSDP = errors.New("no session description in the body")
	// ErrUnusable: v=, o= or every m-line is unusable (SIP 400 or 488).
	ErrUnusable = errors.New("unusable session description")
	// ErrNoCommonMedia: nothing in it that both can do (SIP 488).
	ErrNoCommonMedia = errors.New("no common media")
	// ErrNotOffered: Complete was called without an offer outstanding.
	ErrNotOffered = errors.New("no offer outstanding")
)

// EncryptionRequiredError says that media were in common but not encrypted
// while the policy is Require: SIP 488 with a Warning.
type EncryptionRequiredError struct {
	// Index is the first m-line refused for that reason.
	Index int
}

func (e *EncryptionRequiredError) Error() string {
	return "media encryption is required and was not offered"
}
