package sip

import (
	"context"
	"errors"
	"time"

	"github.com/roomgate/roomgate/sip/digest"
	"github.com/roomgate/roomgate/sip/hunt"
)

// TargetCheck is what a target of a trunk said when it was asked once.
type TargetCheck struct {
	Target  string // as configured, or HOST:PORT behind it
	Err     error  // it cannot be resolved, or does not answer OPTIONS
	Account error  // it refuses the user name and the password
}

// CheckTrunk asks the targets of a trunk whether they are there and, where it
// registers, whether they take its password: by a REGISTER that changes nothing
// (RFC 3261 §10.2.3). Serve has to run.
func (e *Endpoint) CheckTrunk(ctx context.Context, o Outbound) (out []TargetCheck) {
	l := e.newLine("check", o.withDefaults())
	defer l.end()
	l.resolve(ctx)
	for _, s := range l.pool.States() {
		if !s.At.IsValid() {
			out = append(out, TargetCheck{Target: s.Name, Err: errors.New(s.Error)})
			continue
		}
		check := TargetCheck{Target: s.Transport + " " + s.At.String(), Err: l.ask(ctx, s.Host)}
		if check.Err == nil && o.Register {
			b := &binding{line: l, host: s.Host, auth: digest.NewSession(o.Username, o.Password), callID: newCallID(), tag: newCallID()}
			_, check.Account = b.exchange(ctx, onlyAsk)
		}
		out = append(out, check)
	}
	return out
}

// onlyAsk is the life of a binding that is not to be.
const onlyAsk time.Duration = -1

func (l *line) ask(ctx context.Context, h hunt.Host) error {
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	return l.options(ctx, h)
}
