package jitter_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/jitter"
)

// What goes in, as offsets from the first sequence number, and what comes out:
// "3-2" is packet 3 after two lost ones, "R7" is 7 after a restart.
func TestReorder(t *testing.T) {
	far := 5000
	for _, tc := range []struct {
		name string
		in   []int
		out  string
	}{
		{"in order", []int{0, 1, 2, 3}, "0 1 2 3"},
		{"one overtaken", []int{0, 2, 1, 3}, "0 1 2 3"},
		{"one lost", []int{0, 1, 3, 4, 5}, "0 1 3-1 4 5"},
		{"two lost", []int{0, 3, 4, 5}, "0 3-2 4 5"},
		{"late", []int{0, 2, 3, 1, 4}, "0 2-1 3 4"},
		{"waits longer once late ones were seen", []int{0, 3, 4, 5, 1, 2, 6, 9, 10, 7, 8, 11}, "0 3-2 4 5 6 7 8 9 10 11"},
		{"duplicates", []int{0, 0, 1, 3, 3, 2, 2, 1, 4}, "0 1 2 3 4"},
		{"two gaps", []int{0, 2, 4, 5, 6}, "0 2-1 4-1 5 6"},
		{"restart", []int{0, 1, far, far + 1, far + 2}, "0 1 R5000 5001 5002"},
		{"restart behind", []int{0, 1, -far, -far + 1}, "0 1 R-5000 -4999"},
		{"a stray", []int{0, 1, far, 2, 3, far + 1, 4}, "0 1 2 3 4"},
		{"restart after a gap", []int{0, 2, far, far + 1}, "0 2-1 R5000 5001"},
	} {
		for _, first := range []uint16{100, 65534} { // with and without wrapping
			var got []string
			r := jitter.NewReorder(func(p *jitter.Packet) {
				s := fmt.Sprint(int(int16(p.Sequence - first)))
				if p.Lost > 0 {
					s += fmt.Sprint("-", p.Lost)
				}
				if p.Restart {
					s = "R" + s
				}
				if want := byte(p.Sequence); len(p.Payload) != 1 || p.Payload[0] != want {
					t.Errorf("%s: packet %s carries %v", tc.name, s, p.Payload)
				}
				got = append(got, s)
			})
			payload := make([]byte, 1) // reused, as on a socket
			for _, i := range tc.in {
				seq := first + uint16(i)
				payload[0] = byte(seq)
				r.Write(&rtp.Packet{Header: rtp.Header{SequenceNumber: seq}, Payload: payload}, time.Time{})
			}
			if s := strings.Join(got, " "); s != tc.out {
				t.Errorf("%s from %d: %s, want %s", tc.name, first, s, tc.out)
			}
		}
	}
}

// A gap at which no more packets come is given up after MaxWait.
func TestReorderExpires(t *testing.T) {
	var got []int
	r := jitter.NewReorder(func(p *jitter.Packet) { got = append(got, int(p.Sequence), p.Lost) })
	now := time.Unix(1, 0)
	r.Write(&rtp.Packet{Header: rtp.Header{SequenceNumber: 1}}, now)
	r.Write(&rtp.Packet{Header: rtp.Header{SequenceNumber: 3}}, now)
	r.Expire(now.Add(jitter.MaxWait - time.Millisecond))
	if r.Held() != 1 {
		t.Errorf("%d held", r.Held())
	}
	r.Expire(now.Add(jitter.MaxWait))
	if fmt.Sprint(got) != "[1 0 3 1]" || r.Held() != 0 {
		t.Errorf("%v", got)
	}
	if s := r.Stats(); s.Delivered != 2 || s.Lost != 1 {
		t.Errorf("%+v", s)
	}
}

func TestReorderKeepsTheLevel(t *testing.T) {
	var levels []int
	r := jitter.NewReorder(func(p *jitter.Packet) {
		if p.HasLevel {
			levels = append(levels, int(p.Level))
		} else {
			levels = append(levels, -1)
		}
	})
	for _, i := range []uint16{0, 2, 1, 3} {
		p := &rtp.Packet{Header: rtp.Header{SequenceNumber: i}}
		if i != 1 {
			if err := p.SetExtension(media.AudioLevelID, []byte{0x80 | byte(i)}); err != nil {
				t.Fatal(err)
			}
		}
		r.Write(p, time.Time{})
	}
	if fmt.Sprint(levels) != "[128 -1 130 131]" {
		t.Error(levels)
	}
}

func TestReorderDoesNotAllocate(t *testing.T) {
	r := jitter.NewReorder(func(*jitter.Packet) {})
	p := &rtp.Packet{Payload: make([]byte, 160)}
	seq := uint16(0)
	turn := func() {
		for _, i := range []uint16{0, 2, 1, 4, 3, 5} { // in and out of order
			p.SequenceNumber = seq + i
			r.Write(p, time.Time{})
		}
		seq += 6
	}
	for range 100 {
		turn()
	}
	if n := testing.AllocsPerRun(100, turn); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Any sequence of packets: each is delivered at most once and in order between
// restarts, and no more than the ring is held.
func FuzzReorder(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 2, 1, 200, 201, 7})
	f.Add([]byte{0, 0, 255, 254, 1, 100, 101, 102})
	f.Fuzz(func(t *testing.T, steps []byte) {
		last, started := uint16(0), false
		r := jitter.NewReorder(func(p *jitter.Packet) {
			if started && !p.Restart && p.Sequence != last+1+uint16(p.Lost) {
				t.Errorf("%d after %d with %d lost", p.Sequence, last, p.Lost)
			}
			last, started = p.Sequence, true
		})
		seq, now := uint16(0), time.Unix(1, 0)
		for _, s := range steps {
			seq += uint16(int8(s)) * uint16(1+s%3*40)
			now = now.Add(time.Duration(s%32) * time.Millisecond)
			r.Write(&rtp.Packet{Header: rtp.Header{SequenceNumber: seq}}, now)
			r.Expire(now)
			if r.Held() > 64 {
				t.Fatalf("%d held", r.Held())
			}
		}
	})
}
