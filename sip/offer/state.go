package offer

// State is what one exchange leaves for the next in the same dialog: our last
// body, and per m-line its role, the meaning of its payload types and its keys.
// A State is never changed after it was handed out, so a caller may go back to
// an older one. Nil is the state of a new dialog.
type State struct{}

// Rollback is the state to go on with after the offer that s stands for was
// refused (488, 491): as before that offer, but with its version used up.
func (s *State) Rollback() *State { return s }
