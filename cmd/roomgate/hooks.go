package main

import (
	"context"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/directory/webhook"
	"github.com/roomgate/roomgate/gateway"
)

// tellWebhooks queues what happens for those who want to know, until the events
// end.
func (n *node) tellWebhooks(events <-chan gateway.Event) {
	for e := range events {
		out := webhook.Event{Type: string(e.Kind), Meeting: e.Meeting, Body: func() ([]byte, error) { return api.MarshalEvent(e) }}
		if m, ok := n.directory.Meeting(e.Meeting); ok {
			out.Agency = m.Agency
		}
		if err := n.hooks.Send(context.Background(), out); err != nil {
			n.log.Error("an event is lost to webhooks", zap.String("type", out.Type), zap.Error(err))
		}
	}
}

// revive sends again what a webhook never took.
func (n *node) revive(ctx context.Context, id string) error {
	_, err := webhook.Revive(ctx, n.directory.DB, id, n.meeting.node)
	n.hooks.Wake()
	return err
}

// nodeGone takes over what a dead node had to tell, and whom it was calling.
func (n *node) nodeGone(ctx context.Context, name string) {
	if err := n.release(name); err != nil {
		n.log.Error("whom a dead node was calling is called late", zap.String("node", name), zap.Error(err))
	}
	if err := webhook.Inherit(ctx, n.directory.DB, name, n.meeting.node); err != nil {
		n.log.Error("what a dead node had to tell stays untold", zap.String("node", name), zap.Error(err))
	}
	n.hooks.Wake()
}
