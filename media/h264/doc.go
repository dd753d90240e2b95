// Package h264 carries H.264 between peers without decoding it: it takes RTP
// apart into NAL units and makes RTP of them again, reads what parameter sets
// and slice headers say, decides whether a stream fits a receiver, and switches
// a receiver from one source to another at a keyframe.
//
// # On the wire (RFC 6184 §5)
//
//	single NAL unit   | F NRI Type 1..23 | rbsp ...
//	STAP-A            | F NRI 24 | size:16 | NAL unit | size:16 | NAL unit ...
//	FU-A              | F NRI 28 | S E R Type | fragment ...
//
// Packetization mode 0 knows only the first shape, mode 1 knows the three.
// STAP-B, MTAP and FU-B belong to mode 2, which the gateway never negotiates:
// they are counted and dropped.
//
// Clauses named §7.x, §A.x and Table A-1 are those of ITU-T H.264.
package h264
