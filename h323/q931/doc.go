// Package q931 codes the messages of ITU-T Q.931 as far as H.225.0 clause 7 uses
// them to set up calls.
//
//	+--------+--------+-----------------+--------+-----------------------
//	| 08     | 2      | F| call ref. 15 | type   | information elements
//	+--------+--------+-----------------+--------+-----------------------
//	 protocol           F: sent by the side that did not allocate the reference
//	 discriminator
//
//	information element   |1 iii vvvv|            of one octet: value in it
//	                      |0 iiiiiii| length | ..
//	User-user             |0 1111110| length, 2 octets | 05 | H323-UserInformation
//
// The user-user element, of up to 64 KB and with a length of two octets, carries the
// H.225.0 message in PER. Elements are kept in the order they came in; Set puts a
// new one where its code point belongs (Q.931 4.5.1).
package q931
