package gatekeeper

import (
	"time"

	"github.com/roomgate/roomgate/h323/h225"
)

// CallID names a call: its callIdentifier, or its conferenceID when the endpoint is too
// old for one.
type CallID [16]byte

// calls are those that endpoints of the zone were admitted to.
type calls struct {
	byID  map[CallID]*zoneCall
	parts map[string]map[CallID]*admission // by endpointIdentifier
	used  uint64                           // bandwidth of all, bit/s
}

// zoneCall is a call, in which one or two endpoints of the zone take part.
type zoneCall struct {
	id         CallID
	admissions map[string]*admission // by endpointIdentifier
	bandwidth  uint64                // the largest of the admissions
}

// admission is the part of an endpoint in a call.
type admission struct {
	endpoint   string
	conference [16]byte
	reference  uint16
	answered   bool // it was called
	bandwidth  uint64
	seen       time.Time
	asked      bool // an IRQ asks for it
}

func newCalls() *calls {
	return &calls{byID: make(map[CallID]*zoneCall), parts: make(map[string]map[CallID]*admission)}
}

func callIDOf(id *h225.CallIdentifier, conference [16]byte) CallID {
	if id != nil && id.GUID != ([16]byte{}) {
		return id.GUID
	}
	return conference
}

// find gives the part of an endpoint in a call; nil when it has none.
func (c *calls) find(id CallID, endpoint string) *admission { return c.parts[endpoint][id] }

// byReference finds the part of an endpoint in a call by what endpoints without
// callIdentifier tell.
func (c *calls) byReference(endpoint string, conference [16]byte, reference uint16) (CallID, *admission) {
	for id, a := range c.parts[endpoint] {
		if a.reference == reference && a.conference == conference {
			return id, a
		}
	}
	return CallID{}, nil
}

// of counts the calls of an endpoint.
func (c *calls) of(endpoint string) int { return len(c.parts[endpoint]) }

// usedBeside is the bandwidth of all other calls.
func (c *calls) usedBeside(id CallID) uint64 {
	if call := c.byID[id]; call != nil {
		return c.used - call.bandwidth
	}
	return c.used
}

func (c *calls) enter(id CallID, a *admission) {
	call := c.byID[id]
	if call == nil {
		call = &zoneCall{id: id, admissions: make(map[string]*admission)}
		c.byID[id] = call
	}
	call.admissions[a.endpoint] = a
	if c.parts[a.endpoint] == nil {
		c.parts[a.endpoint] = make(map[CallID]*admission)
	}
	c.parts[a.endpoint][id] = a
	c.count(call)
}

// count keeps the sum in step with a call whose admissions changed.
func (c *calls) count(call *zoneCall) {
	most := uint64(0)
	for _, a := range call.admissions {
		most = max(most, a.bandwidth)
	}
	c.used += most - call.bandwidth
	call.bandwidth = most
	if len(call.admissions) == 0 {
		delete(c.byID, call.id)
	}
}

// end takes an endpoint out of a call.
func (c *calls) end(id CallID, endpoint string) bool {
	call := c.byID[id]
	if call == nil || call.admissions[endpoint] == nil {
		return false
	}
	delete(call.admissions, endpoint)
	if delete(c.parts[endpoint], id); len(c.parts[endpoint]) == 0 {
		delete(c.parts, endpoint)
	}
	c.count(call)
	return true
}

// leave takes an endpoint out of all calls.
func (c *calls) leave(endpoint string) {
	for id := range c.parts[endpoint] {
		c.end(id, endpoint)
	}
}
