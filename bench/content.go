package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/roomgate/roomgate/terminal"
)

// presenters are the ways in which a terminal asks to present.
var presenters = []struct{ name, protocol, floor string }{
	{"BFCP/UDP", "sip", "udp"}, {"BFCP/TCP", "sip", "tcp"}, {"H.239", "h323", ""},
}

// content measures how long who presses the key of slides waits for the floor, and the
// others for the first picture; and the same where somebody presents already.
func (r *run) content(ctx context.Context) error {
	g, err := r.startGateway(ctx, setup{callH323: true})
	if err != nil {
		return err
	}
	defer g.stop()
	rounds := 4
	if r.in.Quick {
		rounds = 2
	}
	for _, over := range []bool{false, true} {
		for _, from := range presenters {
			var floor, picture, browser delays
			for i := range rounds {
				to := presenters[i%len(presenters)]
				took, err := g.present(ctx, fmt.Sprintf("slides-%v-%s-%d", over, from.protocol+from.floor, i), from.protocol, from.floor, to.protocol, over)
				if err != nil {
					return fmt.Errorf("%s: %w", from.name, err)
				}
				floor.add(took.floor)
				picture.add(took.picture)
				browser.add(took.browser)
			}
			in := "content " + from.name
			if over {
				r.add(Figure{Scenario: in, Name: "take-over: request -> picture at who presented", Value: picture.quantile(1), Unit: "ms", Target: 1000})
				continue
			}
			r.add(Figure{Scenario: in, Name: "request -> floor", Value: floor.quantile(1), Unit: "ms", Target: 100, Note: fmt.Sprintf("the longest of %d", rounds)})
			r.add(Figure{Scenario: in, Name: "request -> first picture at the viewer", Value: picture.quantile(1), Unit: "ms", Target: 1000})
			r.add(Figure{Scenario: in, Name: "request -> first picture at a browser", Value: browser.quantile(1), Unit: "ms", Target: 1000})
		}
	}
	return nil
}

// settled is how long terminals are in the meeting before anybody presses a key.
const settled = 1500 * time.Millisecond

// waits are how long it took, from the request, to the floor and to the first picture.
type waits struct {
	floor, picture time.Duration
	browser        time.Duration
}

// present has one terminal present to another, which presents itself before, with over, and
// to one who watches as a browser does.
func (g *gateway) present(ctx context.Context, meeting, from, floor, to string, over bool) (took waits, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	viewer := g.terminal(0, to, meeting)
	if over {
		viewer.Content = "pattern360"
	}
	up := make(chan time.Time, 2)
	viewer.Connected = func() { up <- time.Now() }
	watching, stop := context.WithCancel(ctx)
	defer stop()
	var seen terminal.Report
	var failed error
	var wait sync.WaitGroup
	wait.Go(func() { seen, failed = terminal.Run(watching, viewer) })
	defer wait.Wait()
	defer stop()
	var answered time.Time
	select {
	case answered = <-up:
	case <-ctx.Done():
		return took, ctx.Err()
	}
	browser, err := g.watchSlides(ctx, meeting)
	if err != nil {
		return took, err
	}
	defer browser.close()
	presenter := g.terminal(1, from, meeting)
	presenter.Content, presenter.ContentAfter, presenter.FloorTransport = "pattern360", settled, floor
	presenter.Duration = settled + 1500*time.Millisecond
	var asked time.Time
	presenter.Connected = func() { asked = time.Now().Add(settled) }
	presented, err := terminal.Run(ctx, presenter)
	stop()
	wait.Wait()
	shown, ok := browser.seen()
	switch {
	case err != nil || failed != nil:
		return took, fmt.Errorf("a terminal failed: %w", firstError(err, failed))
	case presented.Presenting == nil || presented.Presenting.GrantedMS < 0:
		return took, fmt.Errorf("the floor was not granted: %+v %s", presented.Presenting, presented.Cause)
	case seen.Content == nil || seen.Content.FirstMS < 0:
		return took, fmt.Errorf("no content was seen")
	case !ok:
		return took, fmt.Errorf("no content was seen by a browser")
	}
	picture := answered.Add(time.Duration(seen.Content.FirstMS) * time.Millisecond)
	return waits{time.Duration(presented.Presenting.GrantedMS) * time.Millisecond, picture.Sub(asked), shown.Sub(asked)}, nil
}

func firstError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// terminal is one that calls a meeting.
func (g *gateway) terminal(i int, protocol, meeting string) terminal.Options {
	o := terminal.Options{Protocol: protocol, Address: loopback.String(), Audio: "silence", Video: "none", Name: meeting}
	if protocol == "h323" {
		o.Call = fmt.Sprintf("%s@%s", meeting, g.h323)
		return o
	}
	a := account(i)
	o.Call = fmt.Sprintf("%s@%s", meeting, g.sip)
	o.Register = fmt.Sprintf("%s:%s@%s", a.User, a.Password, g.sip)
	return o
}
