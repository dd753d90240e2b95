package control

import (
	"net/netip"
	"time"

	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media"
)

// channelState is the state of a channel that we opened: the LCSE of H.245 clause C.4.
type channelState uint8

const (
	opening channelState = iota // AWAITING ESTABLISHMENT
	open                        // ESTABLISHED
	closing                     // AWAITING RELEASE
)

// unlimited is no flow control.
const unlimited = -1

// outgoing is a channel that we send on.
type outgoing struct {
	number    uint16
	role      media.Role
	session   uint8
	from      entryKey     // of the far side's table
	format    media.Format // payload type included
	bps       int          // of the capability; zero: no bound
	algorithm per.OID
	key       *Key

	state    channelState
	deadline time.Time // T103
	replaces uint16
	// partner is the far side's channel of which this is the reverse direction; zero
	// for a channel of its own.
	partner   uint16
	rtp, rtcp netip.AddrPort
	limit     int // flow control in bit/s, or unlimited
	muted     bool
	fast      bool // opened by fast start
}

func (c *outgoing) channel() Channel {
	return Channel{Number: c.number, Role: c.role, Session: c.session, Sends: true, PayloadType: c.format.PayloadType}
}

// incoming is a channel that the far side sends on.
type incoming struct {
	number    uint16
	role      media.Role
	session   uint8
	format    media.Format
	bps       int // what it may carry, as the far side opened it
	algorithm per.OID
	key       *Key
	rtcp      netip.AddrPort
	muted     bool
	order     int // of arrival
	epoch     int // of the far side, which may be another one after a pause
}

func (c *incoming) channel() Channel {
	return Channel{Number: c.number, Role: c.role, Session: c.session, PayloadType: c.format.PayloadType}
}

// channels are the logical channels of a call.
type channels struct {
	next    uint16
	arrived int
	epoch   int
	// sending are those in use or being opened, pending those that are to replace
	// them, leaving those being closed.
	sending, pending [roles]*outgoing
	leaving          map[uint16]*outgoing
	receiving        map[uint16]*incoming
	limits           [roles]int // flow control we asked for, in bit/s

	// refused are the formats that the far side did not take after all; silenced the
	// roles in which it wants nothing.
	refused  map[entryKey]bool
	silenced [roles]bool
	wanted   [roles]*wish // by RequestMode
}

// Bounds.
const (
	maxReceiving  = 16
	maxLeaving    = 16
	firstChannel  = 101
	lastChannel   = 65000
	sessionAudio  = 1
	sessionVideo  = 2
	sessionOthers = 32 // numbered by the master from here: content
	sessionCamera = 33
)

func (c *channels) init() {
	c.next = firstChannel
	c.leaving, c.receiving, c.refused = map[uint16]*outgoing{}, map[uint16]*incoming{}, map[entryKey]bool{}
}

// forgive forgets what was refused.
func (c *channels) forgive() {
	clear(c.refused)
	c.silenced = [roles]bool{}
	c.wanted = [roles]*wish{}
}

// allocate gives the number of a new channel of ours.
func (c *channels) allocate() uint16 {
	n := c.next
	if c.next++; c.next > lastChannel {
		c.next = firstChannel
	}
	return n
}

// find looks up a channel of ours that is in use or on its way.
func (c *channels) find(number uint16) *outgoing {
	for role := range c.sending {
		for _, ch := range []*outgoing{c.sending[role], c.pending[role]} {
			if ch != nil && ch.number == number {
				return ch
			}
		}
	}
	return nil
}

// each calls f with all channels of ours.
func (c *channels) each(f func(*outgoing)) {
	for role := range c.sending {
		if c.sending[role] != nil {
			f(c.sending[role])
		}
		if c.pending[role] != nil {
			f(c.pending[role])
		}
	}
	for _, ch := range c.leaving {
		f(ch)
	}
}

// remove forgets a channel of ours.
func (c *channels) remove(ch *outgoing) {
	if c.sending[ch.role] == ch {
		c.sending[ch.role] = nil
	}
	if c.pending[ch.role] == ch {
		c.pending[ch.role] = nil
	}
	delete(c.leaving, ch.number)
}

// outdate drops the channels of a role that were opened before a pause: what follows it may
// be another endpoint, which does not close them.
func (c *channels) outdate(by *incoming) {
	for number, ch := range c.receiving {
		if ch.role == by.role && ch.epoch < by.epoch {
			delete(c.receiving, number)
		}
	}
}

// latest is the newest channel in which a role is received.
func (c *channels) latest(role media.Role) *incoming {
	var best *incoming
	for _, ch := range c.receiving {
		if ch.role == role && (best == nil || ch.order > best.order) {
			best = ch
		}
	}
	return best
}

func (c *channels) deadline() time.Time {
	var next time.Time
	c.each(func(ch *outgoing) { next = earliest(next, ch.deadline) })
	return next
}
