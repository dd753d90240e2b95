// Package bfcp speaks the Binary Floor Control Protocol (RFC 8855): who may show
// slides in a SIP call. It holds the messages, and the two sides of the protocol
// as sessions without I/O or clock: a Server, which is what a gateway is for a
// room terminal, and a Client. Package sip/bfcp/link carries them over UDP, TCP
// and TLS.
//
// # Layout
//
// Every message begins with a header of 12 octets, or 16 in a fragment
// (RFC 8855 §5.1); numbers are in network byte order.
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| Ver |R|F| Res |  Primitive    | Payload length (32-bit words) |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                         Conference ID                         |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|         Transaction ID        |            User ID            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| Fragment offset (if F is set) |   Fragment length (likewise)  |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// Then come attributes (§5.2), each padded to 32 bits. The length of an attribute
// counts its two octets of header and not the padding.
//
//	 0                   1
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 ..
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-
//	|    Type     |M|    Length     | value
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-
//
// Version 1 runs over TCP, version 2 over UDP; the R bit (this is a response) has
// a meaning in version 2 only. Products are seen that say version 1 over UDP, so
// a session answers in the version it is spoken to.
package bfcp
