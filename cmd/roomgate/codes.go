package main

import (
	"context"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/code"
	"github.com/roomgate/roomgate/gateway"
)

// meetingCodes finds the codes of a meeting by its alias. They are kept by its ID: those
// of a meeting that was deleted are no good for the next one of that alias.
type meetingCodes struct {
	book      *code.Book
	directory *directory.Directory
}

var _ gateway.Codes = meetingCodes{}

// Look implements gateway.Codes.
func (c meetingCodes) Look(ctx context.Context, meeting, digits string) (role string, err error) {
	if m, ok := c.directory.Meeting(meeting); ok {
		return c.book.Look(ctx, m.ID, digits)
	}
	return "", nil
}

// Use implements gateway.Codes.
func (c meetingCodes) Use(ctx context.Context, meeting, digits, by string) (role string, err error) {
	if m, ok := c.directory.Meeting(meeting); ok {
		return c.book.Use(ctx, m.ID, digits, by)
	}
	return "", nil
}

// Return implements gateway.Codes.
func (c meetingCodes) Return(ctx context.Context, meeting, digits, by string) error {
	if m, ok := c.directory.Meeting(meeting); ok {
		return c.book.Return(ctx, m.ID, digits, by)
	}
	return nil
}
