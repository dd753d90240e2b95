package bfcp

// Messages that acknowledge and say farewell over UDP; they carry nothing.

// FloorRequestStatusAck acknowledges a FloorRequestStatus that came unasked
// (RFC 8855 §5.3.14).
type FloorRequestStatusAck struct{ others }

// Primitive implements Body.
func (*FloorRequestStatusAck) Primitive() Primitive { return FloorRequestStatusAckPrimitive }

// FloorStatusAck acknowledges a FloorStatus that came unasked (RFC 8855 §5.3.15).
type FloorStatusAck struct{ others }

// Primitive implements Body.
func (*FloorStatusAck) Primitive() Primitive { return FloorStatusAckPrimitive }

// Goodbye ends the association (RFC 8855 §5.3.16).
type Goodbye struct{ others }

// Primitive implements Body.
func (*Goodbye) Primitive() Primitive { return GoodbyePrimitive }

// GoodbyeAck answers it (RFC 8855 §5.3.17).
type GoodbyeAck struct{ others }

// Primitive implements Body.
func (*GoodbyeAck) Primitive() Primitive { return GoodbyeAckPrimitive }
