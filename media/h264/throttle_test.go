package h264

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		var at []time.Duration
		th := NewThrottle(500*time.Millisecond, func() {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(start))
		})
		for range 21 { // many receivers, for two seconds
			th.Request()
			th.Request()
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		assert.Equal(t, []time.Duration{0, 500 * time.Millisecond, time.Second, 1500 * time.Millisecond, 2 * time.Second}, at)

		th.Request() // waits
		th.Answered()
		time.Sleep(time.Second)
		assert.Len(t, at, 5)

		th.Request()
		th.Request() // waits, and is forgotten with its source
		th.Fresh()
		th.Request()
		assert.Len(t, at, 7, "another source is asked at once")

		th.Request()
		th.Close()
		th.Request()
		time.Sleep(time.Second)
		assert.Len(t, at, 7)
	})
}
