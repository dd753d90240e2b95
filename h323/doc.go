// Package h323 is the gateway's H.323 endpoint: calls in and out over H.225.0 call
// signalling, H.245, and RTP. It implements call.Endpoint and, for each call,
// call.Leg.
//
// # Who does what
//
//	TCP 1720   transport   TPKTs, bounded         callsig   messages, states
//	              │                                  │
//	              ▼                                  ▼
//	            link ────── by call reference ────▶ leg ◀──── gateway
//	                                                 │
//	TCP, or     transport ◀──── tunnelled or ──── control     who is master, which
//	the same                    of its own           │        channels stand
//	                                                 ▼
//	UDP                                        media/rtpconn
//
// A link is one signalling connection; it may carry several calls. Every leg is one
// goroutine that takes messages, timers and the gateway's wishes from one queue, so
// that races of the protocol are decided in one place and in one order.
//
// # How H.245 travels
//
// In call signalling where both sides tunnel (H.323 clause 8.2.1): with the next
// message that goes out anyway, else in a FACILITY of its own. Otherwise on a
// connection that either side may open, to an address that any message of the other
// may carry. Messages wait until it is known which.
package h323
