package offer

// EventSet is a set of the RFC 4733 events 0 to 15: bit n stands for event n.
type EventSet uint16

// AllEvents are the sixteen keys: 0-9, *, #, A-D.
const AllEvents EventSet = 0xffff
