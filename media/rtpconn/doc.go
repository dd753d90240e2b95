// Package rtpconn is the RTP and RTCP side of a leg: a Session carries one
// negotiated medium both ways over UDP, with SRTP, latching, feedback and
// telephone events, and is a media.Peer for its role.
//
// # Life of a session
//
// New binds the ports, so that an offer or an answer can name them. Apply takes
// what was negotiated, first at the answer and again at each re-negotiation; it
// changes what must change and loses nothing that flows meanwhile. Close ends
// the tracks, says BYE, and gives the ports back.
//
// # What a datagram can be
//
// Everything may arrive on either socket; the first octet tells what it is
// (RFC 7983), and the second tells RTCP from RTP (RFC 5761 §4):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  first octet  | second octet  |                               |
//	|   0..3 STUN   |               |
//	|  20..63 DTLS  |               |
//	| 128..191 RTP  | 192..223 RTCP |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// Empty datagrams are keep-alives. Everything else is counted and dropped.
//
// # Order of locks
//
// A packet is received under Session.gate, which only the two readers take;
// state is changed under short mutexes that no call leaves with. Attached
// writers are called under gate and their own mutex only.
package rtpconn
