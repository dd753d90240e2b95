//go:build race

package rtpconn

// raceEnabled: sync.Pool drops some of what is put into it, at random, so that
// libraries which pool their buffers allocate now and then.
const raceEnabled = true
