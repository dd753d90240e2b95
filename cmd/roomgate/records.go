package main

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory/record"
	"github.com/roomgate/roomgate/gateway"
)

// progressEvery is how often the records of calls that go on are brought up to
// date: so much is missing at most of a call that a crash ended.
const progressEvery = 15 * time.Second

// record keeps the state of a call.
func (n *node) record(c gateway.Call) { n.records.Put(n.recordOf(c)) }

// recordProgress brings the records of living calls up to date until ctx ends.
func (n *node) recordProgress(ctx context.Context) error {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, c := range n.gateway.Calls() {
			n.record(c)
		}
	}
}

// closeRecords closes what this node left open when it died.
func (n *node) closeRecords() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	closed, err := record.Close(ctx, n.directory.DB, n.meeting.node)
	if closed > 0 {
		n.log.Warn("calls were cut off when the gateway stopped", zap.Int64("calls", closed))
	}
	return err
}

// recordOf is what is kept of a call.
func (n *node) recordOf(c gateway.Call) record.Record {
	i := c.Info
	r := record.Record{
		ID: i.ID, Node: n.meeting.node, Meeting: c.Meeting, Protocol: i.Protocol, Direction: i.Direction, Called: i.Called,
		RemoteAlias: i.Remote.Alias, RemoteName: i.Remote.Name, RemoteURI: i.Remote.URI, Product: i.Remote.Product, Trunk: i.Remote.Trunk,
		Encryption: i.Encryption, Started: i.Created, Answered: i.Answered, Ended: c.Ended, Updated: time.Now(),
	}
	if i.Remote.Address.IsValid() {
		r.RemoteAddress = i.Remote.Address.String()
	}
	if c.Cause != nil {
		r.Cause, r.Text = c.Cause.Code, c.Cause.Text
	}
	if m, ok := n.directory.Meeting(c.Meeting); ok {
		r.Agency = m.Agency
	}
	if i.Remote.Registered || i.Direction == call.Out {
		if e, ok := n.directory.ByAlias(i.Remote.Alias); ok {
			r.Endpoint = e.ID
			if e.Agency != "" {
				r.Agency = e.Agency
			}
		}
	}
	for _, m := range c.Media {
		direction := "recv"
		if m.Sent {
			direction = "send"
		}
		r.Media = append(r.Media, record.Medium{
			Kind: m.Role.String(), Direction: direction, Codec: string(m.Codec), Width: m.Width, Height: m.Height,
			Packets: m.Packets, Bytes: m.Bytes, Lost: m.Lost, JitterMS: milliseconds(m.Jitter), RTTMS: milliseconds(m.RTT),
		})
	}
	return r
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(100*time.Microsecond)) / float64(time.Millisecond)
}
