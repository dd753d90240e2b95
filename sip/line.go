package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/sip/hunt"
)

// Outbound is how calls leave over a trunk. Zero values take the defaults.
type Outbound struct {
	Targets            []hunt.Target
	Username, Password string
	// Domain stands in Request-URI, From and To; "": the address of the target.
	Domain string
	// Register keeps Username registered with the first target that takes it, Expires
	// at a time: 10 minutes. Retry is what the first wait after a failure is: 30 s.
	Register bool
	Expires  time.Duration
	Retry    time.Duration
	// Probe is how often OPTIONS ask the targets: 30 s; below 0 never.
	Probe time.Duration
	// Patience is how long a target may say nothing to a call: 4 s.
	Patience time.Duration
}

func (o Outbound) withDefaults() Outbound {
	def(&o.Expires, 10*time.Minute)
	def(&o.Retry, 30*time.Second)
	def(&o.Probe, 30*time.Second)
	def(&o.Patience, 4*time.Second)
	return o
}

// Resolver asks the DNS; *net.Resolver is one.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// LineState is the way out of a trunk as it stands.
type LineState struct {
	Name         string
	Targets      []hunt.State
	Registration Registration
}

// Registration is that of ours at a carrier.
type Registration struct {
	State   RegistrationState
	Target  string // HOST:PORT that took it
	Expires time.Time
	Error   string // of the last failure, "" since a success
	Next    time.Time
}

// RegistrationState is how a registration stands.
type RegistrationState string

// States of a registration.
const (
	NotRegistering RegistrationState = ""
	Registering    RegistrationState = "registering"
	Registered     RegistrationState = "registered"
	Refused        RegistrationState = "refused" // by a final answer
	Failing        RegistrationState = "failing" // no answer
)

// LineEvent tells that something about the way out of a trunk has changed.
type LineEvent struct {
	Trunk string
	// Target has come up or gone down; "" for the registration.
	Target string
	Up     bool
	Error  string
}

// line is the way out of a trunk: its hosts are looked up and asked, and we stay
// registered with it.
type line struct {
	e    *Endpoint
	name string
	out  Outbound
	pool *hunt.Pool
	log  *zap.Logger

	life context.Context
	end  context.CancelFunc
	wait sync.WaitGroup

	mu           sync.Mutex
	registration Registration
}

// setLines starts and stops lines, so that there is one for each trunk that calls out.
// Those that are as before go on. Nothing runs before Serve.
func (e *Endpoint) setLines(trunks []Trunk) {
	e.lining.Lock()
	defer e.lining.Unlock()
	wanted := map[string]bool{}
	for _, t := range trunks {
		if t.Out == nil {
			continue
		}
		wanted[t.Name] = true
		old := e.lineOf(t.Name)
		if old != nil && reflect.DeepEqual(old.out, t.Out.withDefaults()) {
			continue
		}
		l := e.newLine(t.Name, t.Out.withDefaults())
		e.lines.Store(t.Name, l)
		e.replace(old, l)
	}
	e.lines.Range(func(name, l any) bool {
		if !wanted[name.(string)] {
			e.lines.Delete(name)
			e.replace(l.(*line), nil)
		}
		return true
	})
}

// replace stops a line and starts another; either may be nil. They have one contact,
// so the old registration is removed before the new one is made; nobody waits for it.
func (e *Endpoint) replace(old, next *line) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.serving || e.closed {
		return
	}
	e.wg.Add(1)
	go func() {
		defer e.wg.Done()
		if old != nil {
			old.stop()
		}
		if next != nil {
			next.start()
		}
	}()
}

func (e *Endpoint) lineOf(name string) *line {
	l, ok := e.lines.Load(name)
	if !ok {
		return nil
	}
	return l.(*line)
}

func (e *Endpoint) eachLine(f func(*line)) {
	e.lines.Range(func(_, l any) bool {
		f(l.(*line))
		return true
	})
}

// startLines is called once requests can be sent.
func (e *Endpoint) startLines() {
	e.lining.Lock()
	defer e.lining.Unlock()
	e.mu.Lock()
	e.serving = true
	e.mu.Unlock()
	e.eachLine((*line).start)
}

// stopLines unregisters and waits.
func (e *Endpoint) stopLines() {
	e.lining.Lock()
	defer e.lining.Unlock()
	var wait sync.WaitGroup
	e.eachLine(func(l *line) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			l.stop()
		}()
	})
	wait.Wait()
}

func (e *Endpoint) newLine(name string, out Outbound) *line {
	l := &line{e: e, name: name, out: out, pool: hunt.NewPool(out.Targets, nil), log: e.log.With(zap.String("trunk", name))}
	l.life, l.end = context.WithCancel(context.Background())
	if out.Register {
		l.registration.State = Registering
	}
	return l
}

func (l *line) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.life.Err() != nil {
		return
	}
	l.wait.Add(1)
	go func() {
		defer l.wait.Done()
		l.watch()
	}()
}

// stop ends a line, and its registration with it.
func (l *line) stop() {
	l.mu.Lock()
	l.end()
	l.mu.Unlock()
	l.wait.Wait()
}

// Lines are the ways out of all trunks.
func (e *Endpoint) Lines() []LineState {
	var out []LineState
	e.eachLine(func(l *line) {
		l.mu.Lock()
		r := l.registration
		l.mu.Unlock()
		out = append(out, LineState{l.name, l.pool.States(), r})
	})
	return out
}

// lookEvery is how often names are looked up when nothing asks the targets.
const lookEvery = time.Minute

// watch looks the targets up and asks them, until the line ends.
func (l *line) watch() {
	l.resolve(l.life)
	if l.out.Register {
		l.wait.Add(1)
		go func() {
			defer l.wait.Done()
			l.register()
		}()
	}
	every := l.out.Probe
	if every < 0 {
		every = lookEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if l.out.Probe > 0 {
			l.probe()
		}
		select {
		case <-l.life.Done():
			return
		case <-tick.C:
			l.resolve(l.life)
		}
	}
}

// resolve looks all targets up (RFC 3263 §4).
func (l *line) resolve(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, resolvePatience)
	defer cancel()
	for i, t := range l.out.Targets {
		hosts, err := l.e.hosts(ctx, t)
		if ctx.Err() != nil && l.life.Err() != nil {
			return
		}
		l.pool.Resolved(i, hosts, err, time.Now())
	}
}

// hosts are what a target leads to: a literal, SRV records when no port is named, or
// the addresses of a name.
func (e *Endpoint) hosts(ctx context.Context, t hunt.Target) ([]hunt.Host, error) {
	network := strings.ToLower(t.Transport)
	if network == "" {
		network = "udp"
	}
	name, portText, err := net.SplitHostPort(t.Address)
	if err != nil {
		name, portText = strings.Trim(t.Address, "[]"), ""
	}
	if literal, err := netip.ParseAddr(name); err == nil {
		return []hunt.Host{{Name: name, At: netip.AddrPortFrom(literal.Unmap(), portOf(portText, network)), Transport: network}}, nil
	}
	if portText == "" {
		service, proto := "sip", network
		if network == "tls" {
			service, proto = "sips", "tcp"
		}
		if _, records, err := e.resolver().LookupSRV(ctx, service, proto, name); err == nil && len(records) > 0 {
			return e.service(ctx, records, network)
		}
	}
	addrs, err := e.resolver().LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, err
	}
	var out []hunt.Host
	for _, a := range addrs {
		out = append(out, hunt.Host{Name: name, At: netip.AddrPortFrom(a.Unmap(), portOf(portText, network)), Transport: network})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no address for %s", name)
	}
	return out, nil
}

// service are the addresses of SRV records (RFC 2782). A target "." says that there is
// no such service.
func (e *Endpoint) service(ctx context.Context, records []*net.SRV, network string) (out []hunt.Host, err error) {
	for _, r := range records {
		if r.Target == "." {
			continue
		}
		addrs, failed := e.resolver().LookupNetIP(ctx, "ip", r.Target)
		err = errors.Join(err, failed)
		for _, a := range addrs {
			out = append(out, hunt.Host{
				Name: strings.TrimSuffix(r.Target, "."), At: netip.AddrPortFrom(a.Unmap(), r.Port), Transport: network,
				Priority: int(r.Priority), Weight: int(r.Weight),
			})
		}
	}
	if len(out) == 0 {
		return nil, errors.Join(errors.New("the SRV records lead nowhere"), err)
	}
	return out, nil
}

func portOf(text, network string) uint16 {
	if n, err := strconv.ParseUint(text, 10, 16); err == nil && n > 0 {
		return uint16(n)
	}
	return uint16(sipgo.DefaultPort(network))
}

func (e *Endpoint) resolver() Resolver {
	if e.cfg.Resolver != nil {
		return e.cfg.Resolver
	}
	return net.DefaultResolver
}

// address is where a host is reached: TLS has to see the name that it verifies.
func (l *line) address(h hunt.Host) string {
	if h.Transport == "tls" {
		return net.JoinHostPort(h.Name, strconv.Itoa(int(h.At.Port())))
	}
	return h.At.String()
}

// domain stands in the URIs of a host.
func (l *line) domain(h hunt.Host) (host string, port int) {
	if l.out.Domain != "" {
		return l.out.Domain, 0
	}
	address := l.out.Targets[h.Target].Address
	name, portText, err := net.SplitHostPort(address)
	if err != nil {
		return address, 0
	}
	n, _ := strconv.Atoi(portText) // it was checked
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	return name, n
}
