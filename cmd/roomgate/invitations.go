package main

import (
	"context"
	"time"

	"github.com/roomgate/roomgate/directory/invite"
)

// invitations remembers whom meetings have called.
func (n *node) invitations() *invite.Book {
	return &invite.Book{DB: n.directory.DB, Node: n.meeting.node, Now: time.Now}
}

// release lets others call whom a node was calling when it died; also this one, after a
// restart.
func (n *node) release(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return n.invitations().Release(ctx, name)
}
