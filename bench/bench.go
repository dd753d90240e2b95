// Package bench measures a gateway as it is used: the program in a process of
// its own with its SFU in another, and terminals, phones and meeting clients as
// load around it. Every figure stands beside a baseline of the same run, since
// figures of different machines, or of one shared machine at different times,
// cannot be compared.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Options say what to measure.
type Options struct {
	// Binary is the program to run, with the subcommands serve and bench.
	Binary string
	// Quick shortens windows and leaves out the larger steps.
	Quick bool
	// Only are the scenarios to run; empty means all.
	Only []string
	// Calls are the numbers of calls at once; empty means 20, 50 and 100.
	Calls []int
	// Protocol of the calls: sip, which "" means too, or h323.
	Protocol string
	// Window is how long figures are measured; 0 = ten seconds, or five with Quick.
	Window time.Duration
	// Progress tells what is going on, for people.
	Progress io.Writer
}

// ErrOptions is wrapped by what is wrong with Options.
var ErrOptions = errors.New("bench options")

// scenario is a part of the run that can be chosen by name.
type scenario struct {
	name string
	run  func(r *run, ctx context.Context) error
}

var scenarios = []scenario{
	{"floor", (*run).floors},
	{"calls", (*run).calls},
	{"g711", (*run).callsG711},
	{"listeners", (*run).listeners},
	{"pictures", (*run).pictures},
	{"legs", (*run).picturesBetweenLegs},
	{"screens", (*run).screens},
	{"content", (*run).content},
	{"idle", (*run).idle},
	{"latency", (*run).latency},
	{"registrar", (*run).registrar},
	{"directory", (*run).directory},
	{"gatekeeper", (*run).gatekeeper},
	{"h323", (*run).protocols},
	{"flood", (*run).overload},
	{"headline", (*run).headline}, // the last one: it makes the load nice for good
}

// Names are those of the scenarios, in their order.
func Names() []string {
	names := make([]string, len(scenarios))
	for i, s := range scenarios {
		names[i] = s.name
	}
	return names
}

// run is one run of the benchmark.
type run struct {
	in     Options
	report *Report
	floor  floor // as measured last
	// compared are what the scenario under way has found, for the floor around it.
	compared []func(f floor)
}

// Run measures and returns what it found. What a scenario could not measure is
// a Failure of the report; the others go on.
func Run(ctx context.Context, o Options) (*Report, error) {
	if !slices.Contains([]string{"", "sip", "h323"}, o.Protocol) {
		return nil, fmt.Errorf("%w: protocol %q is neither sip nor h323", ErrOptions, o.Protocol)
	}
	for _, name := range o.Only {
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("%w: no scenario %q", ErrOptions, name)
		}
	}
	if len(o.Calls) == 0 {
		o.Calls = []int{20, 50, 100}
		if o.Quick {
			o.Calls = []int{50}
		}
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	r := &run{in: o, report: &Report{Machine: machine(), Began: time.Now()}}
	for _, s := range scenarios {
		// The floor is what the others are compared with.
		if len(o.Only) > 0 && s.name != "floor" && !slices.Contains(o.Only, s.name) {
			continue
		}
		r.say("%s ...", s.name)
		if err := r.measure(ctx, s); err != nil {
			if ctx.Err() != nil {
				return r.report, ctx.Err()
			}
			r.say("%s: %v", s.name, err)
			r.report.Failures = append(r.report.Failures, Failure{Scenario: s.name, Reason: err.Error()})
		}
	}
	r.report.Took = time.Since(r.report.Began).Seconds()
	return r.report, nil
}

// measure runs a scenario, and measures the floor again for what it compares: the bare loops vary
// with the machine by a fifth within minutes, so that the mean of those before and after counts.
func (r *run) measure(ctx context.Context, s scenario) error {
	r.compared = nil
	err := s.run(r, ctx)
	if len(r.compared) == 0 {
		return err
	}
	before := r.floor
	after, failed := r.measureFloor(ctx)
	if failed != nil {
		return errors.Join(err, failed)
	}
	r.floor = after
	around := between(before, after)
	r.say("  floor before and after: relay %.1f and %.1f µs a packet, encode and decode %.1f and %.1f µs",
		micros(before.relay), micros(after.relay), micros(before.encode+before.decode), micros(after.encode+after.decode))
	for _, report := range r.compared {
		report(around)
	}
	return err
}

// compare has figures reported when the floor after them is known too.
func (r *run) compare(report func(f floor)) { r.compared = append(r.compared, report) }

func (r *run) say(format string, args ...any) {
	_, _ = fmt.Fprintf(r.in.Progress, format+"\n", args...)
}

// window is how long figures are measured.
func (r *run) window() time.Duration {
	if r.in.Window > 0 {
		return r.in.Window
	}
	if r.in.Quick {
		return 5 * time.Second
	}
	return 10 * time.Second
}

// pause waits, unless the run ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
