package offer

// Answer answers an offer. Errors leave the previous state in force:
// ErrNoCommonMedia, *EncryptionRequiredError, or a failing local.Rand.
func Answer(remote *Description, local *Local, previous *State) (body []byte, result *Result, err error) {
	return nil, nil, ErrNoCommonMedia
}
