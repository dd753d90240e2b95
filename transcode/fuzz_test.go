package transcode_test

import (
	"testing"

	"github.com/roomgate/roomgate/media/mixer"
)

// Decoders take whatever a stranger sends: no panic, no sample beyond the
// buffer, and good packets are decoded after bad ones.
func FuzzDecode(f *testing.F) {
	frames := map[int][]int16{}
	for i, c := range every {
		frames[c.rate] = voiced(c.rate)[:c.rate/50]
		e, _ := coders(f, c.codec, c.rate)
		payload := make([]byte, 1500)
		n, err := e.Encode(payload, frames[c.rate])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), payload[:n])
		f.Add(byte(i), payload[:n/2])
	}
	f.Fuzz(func(t *testing.T, which byte, payload []byte) {
		c := every[int(which)%len(every)]
		e, d := coders(t, c.codec, c.rate)
		pcm := make([]int16, 5760+8)
		for i := 5760; i < len(pcm); i++ {
			pcm[i] = 12345
		}
		if n, err := d.Decode(pcm[:5760:5760], payload); err == nil && (n <= 0 || n > 5760) {
			t.Errorf("%d samples", n)
		}
		if r, ok := d.(mixer.Recoverer); ok {
			_ = r.Recover(pcm[:960], payload)
		}
		d.Conceal(pcm[:960])
		good := make([]byte, 1500)
		n, err := e.Encode(good, frames[c.rate])
		if err != nil {
			t.Fatal(err)
		}
		if m, err := d.Decode(pcm[:5760:5760], good[:n]); err != nil || m != c.rate/50 {
			t.Errorf("a good packet makes %d samples: %v", m, err)
		}
		for _, v := range pcm[5760:] {
			if v != 12345 {
				t.Fatal("written beyond the buffer")
			}
		}
	})
}
