package gateway

import (
	"testing"
	"time"

	"github.com/roomgate/roomgate/gateway/lobby/prompt"
)

// TestRecorder: what is kept is what was said, with a little before and after it, without
// what came before the tone was over and without the tone of the key that ended it.
func TestRecorder(t *testing.T) {
	now := time.Unix(1e9, 0)
	const rate = prompt.Rate
	write := func(r *recorder, frames int, value int16, speech bool) {
		for range frames {
			pcm := make([]int16, rate/50)
			for i := range pcm {
				pcm[i] = value
			}
			r.write(pcm, rate, speech)
			now = now.Add(20 * time.Millisecond)
		}
	}
	fresh := func() *recorder {
		return &recorder{now: func() time.Time { return now }, from: now.Add(200 * time.Millisecond)}
	}
	const said = 3
	r := fresh()
	write(r, 10, 1, true) // of the tone
	write(r, 50, 2, false)
	write(r, 40, said, true)
	if r.over(now) {
		t.Error("over while it is said")
	}
	write(r, 70, 4, false)
	if !r.over(now) {
		t.Error("not over after a silence")
	}
	count := map[int16]time.Duration{}
	for _, s := range r.said(false) {
		count[s] += time.Second / rate
	}
	if count[1] != 0 || count[2] != nameMargin || count[said] != 800*time.Millisecond || count[4] != nameMargin {
		t.Errorf("kept %v", count)
	}
	r = fresh()
	write(r, 10, 1, true)
	write(r, 40, said, true)
	if got := time.Duration(len(r.said(true))) * time.Second / rate; got != 800*time.Millisecond-keyTone {
		t.Errorf("kept %v before a key", got)
	}
	r = fresh()
	write(r, 10, 1, true)
	write(r, 100, 2, false)
	if r.over(now) || r.said(false) != nil {
		t.Error("nothing was said, and it is kept")
	}
	write(r, 5, said, true)
	if r.said(false) != nil {
		t.Error("a click is kept")
	}
	write(r, 1000, said, true)
	if got := len(r.said(false)); got > rate*int(nameMost/time.Second)+rate/50 {
		t.Errorf("%d samples are kept of one who does not stop", got)
	}
	r = fresh()
	now = r.from
	r.write(make([]int16, 480*25), 48000, true)
	if got := len(r.said(false)); got < rate/5 || got > rate/3 {
		t.Errorf("%d samples of a quarter of a second at another rate", got)
	}
}
