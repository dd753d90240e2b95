package client

import (
	"context"
	"net/netip"
	"time"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras/socket"
)

// Endpoint puts a socket and time around a Client.
type Endpoint struct {
	*Client
	sockets *socket.Set
}

// Open binds a UDP address of ours, ":0" for any. Config.Send is set to the socket's;
// Serve has to follow, or Close.
func Open(c Config, local string) (*Endpoint, error) {
	e := &Endpoint{}
	if c.Stream == nil {
		sockets, err := socket.Open([]string{local}, false)
		if err != nil {
			return nil, err
		}
		e.sockets = sockets
		c.Send = sockets.Send
		if host := c.RAS; host == nil {
			host = c.Signalling
			port := sockets.Addresses()[0].Port()
			c.RAS = func(peer netip.Addr) netip.AddrPort { return netip.AddrPortFrom(host(peer).Addr(), port) }
		}
	}
	var err error
	if e.Client, err = New(c); err != nil {
		return nil, err
	}
	return e, nil
}

const (
	tickEvery = 200 * time.Millisecond
	// farewell is how long the end of the registration may take.
	farewell = 1500 * time.Millisecond
)

// Serve registers and keeps registered until ctx ends; then it unregisters.
func (e *Endpoint) Serve(ctx context.Context) error {
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ended := make(chan error, 1)
	go func() {
		if e.sockets == nil {
			<-reading.Done()
			ended <- nil
			return
		}
		ended <- e.sockets.Serve(reading, e.Receive)
	}()
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	e.Tick()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			e.Tick()
		}
	}
	last, cancel := context.WithTimeout(reading, farewell)
	defer cancel()
	left := make(chan error, 1)
	go func() { left <- e.Unregister(last) }()
	for gone := false; !gone; {
		select {
		case <-left:
			gone = true
		case <-tick.C:
			e.Tick()
		}
	}
	stop()
	return <-ended
}

// Close is for an Endpoint that never served.
func (e *Endpoint) Close() error {
	if e.sockets == nil {
		return nil
	}
	return e.sockets.Close()
}

// Unregister ends the registration (URQ, H.225.0 clause 7.10.1) for good.
func (c *Client) Unregister(ctx context.Context) error {
	_, err := wait(ctx, c, func(t *turn, done func(struct{}, error)) {
		if t.state.Phase != Registered {
			t.state.Phase = Closed
			done(struct{}{}, nil)
			return
		}
		q := &h225.UnregistrationRequest{
			CallSignalAddress: t.registration(true).CallSignalAddress, EndpointAlias: t.c.Aliases, EndpointIdentifier: ptr(t.state.ID),
		}
		if id := t.state.GatekeeperID; id != "" {
			q.GatekeeperIdentifier = &id
		}
		t.ask(t.path(), &h225.RASMessage{UnregistrationRequest: q}, func(_ *turn, _ *h225.RASMessage, err error) { done(struct{}{}, err) })
		t.state.Phase, t.state.ID = Closed, ""
	})
	return err
}
