package rtpconn

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Tickers of whole beats tick at their pace and in turn, and miss what they do not take.
func TestHeart(t *testing.T) {
	h := &heart{beating: true} // by the test
	var tickers []<-chan time.Time
	var stops []func()
	for _, every := range []int{1, 5, 5, 5, 5, 5} {
		c, stop := h.ticker(every)
		tickers, stops = append(tickers, c), append(stops, stop)
	}
	counts := make([]int, len(tickers))
	most := 0
	for n := range 100 {
		require.True(t, h.tick(n, time.Unix(int64(n), 0)))
		now := 0
		for i, c := range tickers {
			select {
			case at := <-c:
				require.Equal(t, time.Unix(int64(n), 0), at)
				counts[i]++
				now++
			default:
			}
		}
		most = max(most, now)
	}
	require.Equal(t, []int{100, 20, 20, 20, 20, 20}, counts)
	require.Equal(t, 2, most, "not all in the same beat")
	for n := range 3 {
		h.tick(n, time.Unix(7, 0))
	}
	require.Equal(t, time.Unix(7, 0), <-tickers[0])
	require.Empty(t, tickers[0], "missed ticks are not made up for")
	for _, stop := range stops {
		stop()
		stop()
	}
	require.False(t, h.tick(0, time.Now()), "it rests when there is nobody left")
}

// It begins again when somebody comes after a rest.
func TestHeartBeginsAgain(t *testing.T) {
	var h heart
	for range 2 {
		c, stop := h.ticker(2)
		for range 3 {
			select {
			case <-c:
			case <-time.After(10 * time.Second):
				t.Fatal("no tick")
			}
		}
		stop()
		require.Eventually(t, func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			return !h.beating
		}, 10*time.Second, time.Millisecond)
	}
}
