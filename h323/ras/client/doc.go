// Package client registers with somebody else's gatekeeper, as a terminal or as a
// gateway for prefixes, keeps registered, and asks for admission of calls (ITU-T H.323
// clause 7.2, the endpoint's part).
//
// A Client is a state machine like the gatekeeper of package gatekeeper: Receive takes
// a message, Tick the passing of time, and Config.Send what is to be sent. Endpoint
// puts a socket and time around it.
//
//	         GCF            RCF
//	searching --> registering --> registered --+
//	    ^  ^          | RRJ           | no answer to keep-alives, URQ
//	    |  +----------+               |
//	    +-----------------------------+   next gatekeeper of the list, or wait
package client
