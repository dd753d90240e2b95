// Package h224 controls cameras: the frames of H.224 and the messages of H.281 in
// them, as they travel in RTP (RFC 4573, H.323 Annex Q), and both sides of a
// conversation: who moves a camera, and the camera that is moved.
//
// # Layout
//
// A frame in an RTP packet is one of H.224 without flags, bit stuffing and frame
// check (H.323 Annex Q):
//
//	Q.922 address, 2 octets     0x00 0x61 low priority, 0x00 0x71 high
//	Q.922 control, 1            0x03, unnumbered information
//	destination terminal, 2     0: whoever is at the other end
//	source terminal, 2
//	client, 1                   0 client management, 1 camera control (H.281),
//	                            0x7e and one more octet, 0x7f and five more
//	ES BS C1 C0 segment, 1      end and beginning of a message; one frame has both
//	data, up to 254
//
// The messages of H.281 begin with an octet that tells them apart. Motion is one
// octet, a pair of bits per axis: that it moves, and where to.
//
//	  7     6     5     4     3     2     1     0
//	+-----+-----+-----+-----+-----+-----+-----+-----+
//	| pan |right| tilt| up  | zoom| in  |focus| in  |
//	+-----+-----+-----+-----+-----+-----+-----+-----+
package h224
