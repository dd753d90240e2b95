// Package per codes Go values in the aligned variant of the Packed Encoding Rules
// of ASN.1 (basic aligned PER, ITU-T X.691), which H.225.0 and H.245 use.
//
// # Types
//
// A Go struct stands for a SEQUENCE, a SET or a CHOICE, and the struct tags of its
// fields hold what PER needs to know of them. The first item of a tag is the
// component's name in the ASN.1 module, used in errors:
//
//	BOOLEAN               bool
//	NULL                  bool           null; true tells that it is there
//	INTEGER(0..255)       uint8          range=0..255 (also 1..max, min..max, 0..9+ for (0..9, ...))
//	INTEGER               int64, big.Int
//	ENUMERATED {a, b}     uint8          enum=2, enum=2+ when extensible
//	BIT STRING            BitString      size=1..2048
//	OCTET STRING          []byte         size=1..128
//	OCTET STRING(SIZE(4)) [4]byte
//	OBJECT IDENTIFIER     OID            "0.0.8.2250.0.7"
//	IA5String and others  string         ia5, numeric, printable, visible, general, utf8, bmp, universal
//	  with FROM("01")                    alphabet:"01" beside the per tag
//	SEQUENCE OF, SET OF   slice          size=1..16;range=0..255: options of the elements behind the semicolon
//	open type             []byte, or any open
//	OPTIONAL              pointer, slice optional; absent is nil
//	DEFAULT v             plain value    default=v
//	extension addition    pointer, slice ext; an addition group [[ ]] is a pointer to a struct
//
// A field `Extensions *per.Extensions` makes a SEQUENCE extensible, a blank first
// field `_ per.Choice` makes a struct a CHOICE, whose alternatives are pointers, slices
// or NULLs, and a field `Other *per.Alternative` makes the CHOICE extensible. What
// a newer peer adds to a type is kept in these fields and sent on unchanged.
//
// # On the wire
//
// An encoding is a row of bits. Nothing says which type it is; only what the
// receiver cannot know is sent:
//
//	SEQUENCE {..., OPTIONAL}   |E|o o o| root components | additions
//	                            E: additions follow, o: one bit per OPTIONAL
//	additions                  |0 nnnnnn| n+1 bits, one per addition | open type | ...
//	CHOICE                     |0| index of root | value,  or  |1|0 iiiiii| open type
//	INTEGER, range < 256       |n bits|          as few as hold the range, none for a single value
//	         range = 256       |8 bits|          on an octet boundary
//	         range <= 64K      |16 bits|         on an octet boundary
//	         larger            |len-1|..octets|  len in as few bits as hold its own range
//	         no upper bound    |length|octets|
//	length                     |0 nnnnnnn|  |10 nnnnnn nnnnnnnn|  |11 00000m| m*16K units, more follow
//	OCTET STRING               up to 2 octets of fixed size where they fall, others on an octet
//	                           boundary, behind a length unless the size is fixed
//	open type                  |length|complete encoding of the value, padded to octets|
//
// # Safety
//
// Decoding never panics, never reads beyond its input and takes memory in
// proportion to what it has seen. Limits bound depth, elements and memory. Errors
// name the field: "per: h225.Setup.fastStart[3]: encoding ends too early".
package per
