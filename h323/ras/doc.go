// Package ras holds what the two sides of RAS (registration, admission and status,
// ITU-T H.225.0 clause 7.8 and following) have in common: kinds of messages, the
// fields that all of them have, the ways they travel, and who vouches for them.
//
// The gatekeeper is in ras/gatekeeper, the side of a terminal or gateway that
// registers with somebody else's gatekeeper in ras/client. Requests that repeat
// until they are answered, and answers that are kept for repeated requests, are in
// ras/exchange; sockets are in ras/socket.
//
// # On the wire
//
// A datagram holds one RASMessage in aligned PER, to or from UDP port 1719; a search
// for a gatekeeper goes to 224.0.1.41, port 1718. Every request has a number, which
// its answer repeats; a request without an answer in time is sent again, unchanged
// (H.225.0 clause 7.20):
//
//	terminal                          gatekeeper
//	   | GRQ 1 (who serves me?)            |
//	   |---------------------------------->|
//	   |                             GCF 1 |
//	   |<----------------------------------|
//	   | RRQ 2 (aliases, addresses)        |
//	   |---------------------------------->|
//	   |      RCF 2 (identifier, lifetime) |
//	   |<----------------------------------|
//	   | ARQ 3 (may I call 8401?)          |
//	   |---------------------------------->|
//	   |                  RIP 3 (patience) |
//	   |<----------------------------------|
//	   |    ACF 3 (yes, send SETUP here)   |
//	   |<----------------------------------|
//
// With H.460.17 the same messages travel on the terminal's connection for call
// signalling, in FACILITY with call reference 0.
package ras
