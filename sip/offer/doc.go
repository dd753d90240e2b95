// Package offer turns what a room terminal says in SDP into what the gateway
// sends, receives and answers: the offer/answer model of RFC 3264 as pure
// functions.
//
// Parse reads what real products write, broken lines included. Answer answers
// an offer, Offer makes one, Complete reads the answer to it. Each hands back
// what was agreed as a Result, and a State from which the next exchange of the
// same dialog starts: m-lines keep their place, payload types their meaning,
// keys their life, and the session version moves only when something changed.
// Check holds any answer against its offer.
//
// Nothing here touches the network, the clock or a global; randomness comes in
// as a reader.
//
// # Layout of a body
//
//	v=0
//	o=<user> <id> <version> IN IP4|IP6 <address>
//	s=<name>
//	c=IN IP4|IP6 <address>        what m-lines without their own c= use
//	b=<type>:<value>
//	t=0 0
//	a=...                         what m-lines without their own a= use
//	m=<kind> <port> <profile> <payload type> ...
//	c=, b=, a=                    of this m-line only
//
// Payload types belong to their m-line: 97 may be H.264 on one and Opus on
// another.
package offer
