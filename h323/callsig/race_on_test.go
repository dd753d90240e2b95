//go:build race

package callsig_test

// raceEnabled: pools lose some of what they hold, so memory is not what it is.
const raceEnabled = true
