// Package h460 holds the features of the H.460 series by which terminals behind
// firewalls and address translators are reached, and the parts of messages in which they
// are spoken of. It keeps no connections: the endpoint and the gatekeeper do.
//
// # H.460.17: RAS over call signalling
//
// The terminal opens one TCP connection and keeps it. RAS messages travel in FACILITY
// messages with call reference 0, call signalling on the same connection:
//
//	FACILITY, CRV 0: genericData { id 17, parameter 1: raw RASMessage }
//
// # H.460.18: call signalling
//
// The terminal registers over UDP and keeps the way open by registering often. A call to
// it is announced by RAS, and the terminal connects to the announced address:
//
//	gatekeeper                                    terminal
//	    | SCI genericData { 18, 1: IncomingCallIndication } |
//	    |-------------------------------------------------->|
//	    |                                               SCR |
//	    |<--------------------------------------------------|
//	    |          TCP, FACILITY, CRV 0, callIdentifier     |
//	    |<--------------------------------------------------|
//	    | SETUP                                             |
//	    |-------------------------------------------------->|
//
// # H.460.19: media
//
// Of the two sides one is the server, which can be reached. Both speak of it in SETUP and
// its answers:
//
//	feature { 19, 1: can send multiplexed media, 2: is a server }
//
// and in each openLogicalChannel and its acknowledgement, as genericInformation
// 0.0.8.460.19.0.1 with one parameter, whose octets are TraversalParameters.
package h460
