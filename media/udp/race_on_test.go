//go:build race

package udp

// raceEnabled: sync.Pool drops some of what is put into it, at random.
const raceEnabled = true
