//go:build !race

package rtpconn

const raceEnabled = false
