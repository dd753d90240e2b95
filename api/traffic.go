package api

import "github.com/roomgate/roomgate/gateway"

// flow is one direction of one medium, over all calls.
type flow struct{ kind, direction string }

type counts struct{ packets, bytes, lost uint64 }

func (c *counts) add(o counts) {
	c.packets += o.packets
	c.bytes += o.bytes
	c.lost += o.lost
}

type flows map[flow]counts

func (f flows) add(o flows) {
	for key, n := range o {
		sum := f[key]
		sum.add(n)
		f[key] = sum
	}
}

// maxMisses is how many looks a call may be missing before it counts as ended
// without the event that says so.
const maxMisses = 3

// traffic adds up the media of all calls there ever were: what ended calls
// left, and what living ones have counted.
type traffic struct {
	past flows
	seen map[string]*sighting // by call
	// left are the calls that ended during a look; nil between two looks. The
	// list the look works on may still hold them.
	left map[string]bool
}

// sighting is a call as it was last seen.
type sighting struct {
	flows  flows
	misses int
}

func newTraffic() traffic {
	return traffic{past: flows{}, seen: map[string]*sighting{}}
}

func flowsOf(c gateway.Call) flows {
	f := flows{}
	for _, m := range c.Media {
		v := mediaView(m)
		f.add(flows{{v.Kind, v.Direction}: {m.Packets, m.Bytes, m.Lost}})
	}
	return f
}

// ended moves a call into the past.
func (t *traffic) ended(c gateway.Call) {
	f := flowsOf(c)
	if s, ok := t.seen[c.Info.ID]; ok && len(f) == 0 { // its media is gone with it
		f = s.flows
	}
	t.past.add(f)
	delete(t.seen, c.Info.ID)
	if t.left != nil {
		t.left[c.Info.ID] = true
	}
}

// look announces that calls are about to be listed for living.
func (t *traffic) look() { t.left = map[string]bool{} }

// living ends a look: it returns the sums, with the calls that go on.
func (t *traffic) living(calls []gateway.Call) flows {
	for _, s := range t.seen {
		s.misses++
	}
	for _, c := range calls {
		if !t.left[c.Info.ID] {
			t.seen[c.Info.ID] = &sighting{flows: flowsOf(c)}
		}
	}
	t.left = nil
	sums := flows{}
	for id, s := range t.seen {
		if s.misses >= maxMisses {
			t.past.add(s.flows)
			delete(t.seen, id)
			continue
		}
		sums.add(s.flows)
	}
	sums.add(t.past)
	return sums
}
