package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/store"
	"github.com/roomgate/roomgate/sip"
)

// trunkCheck bounds the check of all trunks.
const trunkCheck = 20 * time.Second

// checkTrunks asks the targets of trunks, where there is a directory already: OPTIONS,
// and a REGISTER that changes nothing. What is wrong there does not stop the start.
func checkTrunks(ctx context.Context, c *config.Config) []finding {
	ctx, cancel := context.WithTimeout(ctx, trunkCheck)
	defer cancel()
	trunks, password, done, err := trunksOf(ctx, c)
	if err != nil {
		return []finding{{"trunks", warning, err.Error()}}
	}
	defer done()
	var list []finding
	for _, t := range trunks {
		if t.Disabled || len(t.Targets) == 0 {
			continue
		}
		word, err := password(t)
		if err != nil {
			list = append(list, finding{"trunk " + t.Name, bad, err.Error()})
			continue
		}
		list = append(list, askTrunk(ctx, c, t, word)...)
	}
	return list
}

// trunksOf reads the trunks of a database that is there and up to date.
func trunksOf(ctx context.Context, c *config.Config) (list []directory.Trunk, password func(directory.Trunk) (string, error), done func(), err error) {
	state, err := store.Probe(ctx, databaseURL(c))
	_, noKey := os.Stat(filepath.Join(c.DataDir, secretFile))
	if err != nil || strings.Contains(state, " will ") || c.SecretKey == "" && isAbsent(noKey) {
		return nil, nil, func() {}, nil // said by other checks, or nothing is there yet
	}
	d, err := openDirectory(ctx, c, zap.NewNop())
	if err != nil {
		return nil, nil, nil, err
	}
	return d.Trunks(), d.TrunkPassword, func() { _ = d.DB.Close() }, nil
}

func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// askTrunk asks the targets of one trunk from a socket of its own.
func askTrunk(ctx context.Context, c *config.Config, t directory.Trunk, password string) (list []finding) {
	settings := sipConfig(c, nil, zap.NewNop())
	settings.Listen = []sip.Listener{{Transport: "udp", Address: ":0"}, {Transport: "tcp", Address: ":0"}}
	settings.Accounts, settings.Network = nil, newNetworks(c.Networks).towards
	endpoint, err := sip.New(settings)
	if err != nil {
		return []finding{{"trunk " + t.Name, bad, err.Error()}}
	}
	serving, stop := context.WithCancel(ctx)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = endpoint.Serve(serving, func(l call.Leg) { l.Hangup(call.Cause{Code: call.Unavailable}) })
	}()
	defer func() {
		stop()
		<-served
	}()
	for _, r := range endpoint.CheckTrunk(ctx, outboundOf(t, password)) {
		f := finding{"trunk " + t.Name, good, r.Target}
		switch {
		case r.Err != nil:
			f.verdict, f.detail = warning, fmt.Sprintf("%s: %v", r.Target, r.Err)
		case r.Account != nil:
			f.verdict, f.detail = warning, fmt.Sprintf("%s answers, and refuses the account: %v", r.Target, r.Account)
		case t.Register:
			f.detail += ", takes the account"
		}
		list = append(list, f)
	}
	return list
}
