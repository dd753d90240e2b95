// Package gatekeeper serves a zone: terminals find it, register their aliases and ask
// it before they call (ITU-T H.323 clause 7.2, messages of H.225.0).
//
// A Gatekeeper is a state machine: Receive takes a message, Tick the passing of
// time, and what has to be sent goes to Config.Send. It has no goroutine and no
// socket of its own; Server puts them around it.
//
// # Whom it serves
//
// Settings say who may register (Open, Accounts, Closed), from which networks, and
// what calls may use. An alias of an account can be registered only by who knows its
// password, whatever the mode.
//
// # Where calls go
//
// In the routed model every call is told to send its SETUP to us. In the direct model
// calls between registered terminals, and to terminals of neighbours, go straight
// there; calls to anything else that we serve, meetings above all, come to us.
package gatekeeper
