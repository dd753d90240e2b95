//go:build !race

package callsig_test

const raceEnabled = false
