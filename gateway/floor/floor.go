// Package floor decides who presents in a meeting. A shared screen of a browser,
// the floor of BFCP and the token of H.239 are the same thing to it: the right to
// show content, which one at a time has.
//
// An Arbiter has no goroutine, clock or lock: whoever owns it calls it from one
// place. What follows from a decision it tells the parties, who must not call back
// before they return.
package floor

import "time"

// Policy says who may present, and who may take over.
type Policy string

// Policies.
const (
	// Free: everybody may present and take over.
	Free Policy = "free"
	// Ask: everybody may present while nobody does; taking over needs a yes, of a
	// host or an operator. Hosts need none.
	Ask Policy = "ask"
	// HostOnly: hosts alone present.
	HostOnly Policy = "host"
)

// ParsePolicy reads the word of the API; empty means Free.
func ParsePolicy(word string) (Policy, bool) {
	switch p := Policy(word); p {
	case "":
		return Free, true
	case Free, Ask, HostOnly:
		return p, true
	}
	return Free, false
}

// Party is somebody who may present.
type Party interface {
	// Granted: who asked presents.
	Granted()
	// Denied: who asked does not.
	Denied()
	// Yield: who presents has to stop.
	Yield()
}

// Lease names the node that decides, where several carry legs of one meeting. The
// others let everybody present whom the SFU shows presenting, and follow.
type Lease interface {
	Held() bool
}

// Config is what an Arbiter needs.
type Config struct {
	Policy Policy
	Lease  Lease // nil: this node decides
	// May reports whether somebody may present now that another does, or, with "",
	// nobody; nil: everybody.
	May func(id, presenter string) bool
	// Changed is told who presents; "" is nobody.
	Changed func(presenter string)
	// Wanted is told who waits for a yes; "" is nobody any more.
	Wanted func(id string)
}

// patience is how long a wish waits for a yes.
const patience = 30 * time.Second

// Arbiter is who decides in one meeting.
type Arbiter struct {
	cfg       Config
	parties   map[string]party
	presenter string
	waiting   string
	until     time.Time
}

type party struct {
	Party
	host bool
}

// New makes an arbiter; nobody presents.
func New(cfg Config) *Arbiter {
	if cfg.Wanted == nil {
		cfg.Wanted = func(string) {}
	}
	if cfg.Policy == "" {
		cfg.Policy = Free
	}
	return &Arbiter{cfg: cfg, parties: map[string]party{}}
}

// Join makes somebody known, or changes whether they are a host.
func (a *Arbiter) Join(id string, host bool, p Party) { a.parties[id] = party{p, host} }

// Leave forgets somebody; what they held is free.
func (a *Arbiter) Leave(id string) {
	delete(a.parties, id)
	a.Stop(id)
}

// SetPolicy changes the policy. Who presents goes on.
func (a *Arbiter) SetPolicy(p Policy) { a.cfg.Policy = p }

// Presenter is who presents; "" is nobody.
func (a *Arbiter) Presenter() string { return a.presenter }

// Waiting is who waits for a yes; "" is nobody.
func (a *Arbiter) Waiting() string { return a.waiting }

// decides reports whether this node's word counts.
func (a *Arbiter) decides() bool { return a.cfg.Lease == nil || a.cfg.Lease.Held() }

// Ask says that somebody wants to present, or has begun to.
func (a *Arbiter) Ask(id string, now time.Time) {
	p, known := a.parties[id]
	switch {
	case !known:
	case id == a.presenter:
		p.Granted()
	case a.cfg.May != nil && !a.cfg.May(id, a.presenter):
		p.Denied()
	case !a.decides():
		a.grant(id) // who decides stops them if it must
	case a.cfg.Policy == HostOnly && !p.host:
		p.Denied()
	case a.cfg.Policy == Ask && a.presenter != "" && !p.host:
		a.wait(id, now)
	default:
		a.grant(id)
	}
}

// wait has somebody wait, in place of who waited before.
func (a *Arbiter) wait(id string, now time.Time) {
	if a.waiting == id {
		return
	}
	if before, ok := a.parties[a.waiting]; ok {
		before.Denied()
	}
	a.waiting, a.until = id, now.Add(patience)
	a.cfg.Wanted(id)
}

// Decide answers who waits; false when they do not.
func (a *Arbiter) Decide(id string, yes bool) bool {
	if id == "" || a.waiting != id {
		return false
	}
	if yes {
		a.grant(id)
		return true
	}
	a.forget()
	a.parties[id].Denied()
	return true
}

// Give lets somebody present whatever the policy says: an operator's word. False
// when they are not there.
func (a *Arbiter) Give(id string) bool {
	if _, ok := a.parties[id]; !ok {
		return false
	}
	a.grant(id)
	return true
}

// Revoke stops who presents.
func (a *Arbiter) Revoke() {
	if p, ok := a.parties[a.presenter]; ok {
		id := a.presenter
		a.Stop(id)
		p.Yield()
	}
}

func (a *Arbiter) grant(id string) {
	if a.waiting == id {
		a.forget()
	}
	before, p := a.presenter, a.parties[id]
	if before == id {
		p.Granted()
		return
	}
	a.presenter = id
	if old, ok := a.parties[before]; ok {
		old.Yield()
	}
	p.Granted()
	a.cfg.Changed(id)
}

// Stop says that somebody presents no longer, or does not want to any more. Who
// waits is next.
func (a *Arbiter) Stop(id string) {
	if a.waiting == id {
		a.forget()
	}
	if id == "" || a.presenter != id {
		return
	}
	a.presenter = ""
	if next := a.waiting; next != "" {
		a.grant(next)
		return
	}
	a.cfg.Changed("")
}

func (a *Arbiter) forget() {
	if a.waiting != "" {
		a.waiting = ""
		a.cfg.Wanted("")
	}
}

// Tick lets time pass: a wish that nobody answers is denied.
func (a *Arbiter) Tick(now time.Time) {
	if a.waiting != "" && !now.Before(a.until) {
		a.Decide(a.waiting, false)
	}
}
