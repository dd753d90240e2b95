package h264

import "bytes"

// Type is nal_unit_type, Table 7-1.
type Type uint8

// NAL unit types. 24 and up are packet shapes of RFC 6184 §5.2.
const (
	Slice       Type = 1
	PartitionA  Type = 2
	PartitionC  Type = 4
	IDR         Type = 5
	SEI         Type = 6
	SPSUnit     Type = 7
	PPSUnit     Type = 8
	Delimiter   Type = 9
	EndSequence Type = 10
	EndStream   Type = 11
	Filler      Type = 12
	Prefix      Type = 14
	SubsetSPS   Type = 15
	Auxiliary   Type = 19
	Extension   Type = 20
	stapA       Type = 24
	stapB       Type = 25
	mtap16      Type = 26
	mtap24      Type = 27
	fuA         Type = 28
	fuB         Type = 29
)

// TypeOf reads the type of a NAL unit; an empty one has type 0, which the
// standard leaves unspecified.
func TypeOf(nal []byte) Type {
	if len(nal) == 0 {
		return 0
	}
	return Type(nal[0] & 0x1f)
}

// IsSlice reports whether a unit of this type holds a part of a picture.
func (t Type) IsSlice() bool { return t >= Slice && t <= IDR }

var startCode = []byte{0, 0, 0, 1}

// AppendAnnexB appends nal to dst behind a four-byte start code (§B.1).
func AppendAnnexB(dst, nal []byte) []byte {
	return append(append(dst, startCode...), nal...)
}

// SplitAnnexB cuts a byte stream (§B.1) into NAL units, which share memory
// with it. Bytes before the first start code are skipped.
func SplitAnnexB(stream []byte) [][]byte {
	var units [][]byte
	rest, found := afterStartCode(stream)
	for found {
		var nal []byte
		next := rest
		nal, next, found = cutAtStartCode(rest)
		if nal = bytes.TrimRight(nal, "\x00"); len(nal) > 0 {
			units = append(units, nal)
		}
		rest = next
	}
	return units
}

func afterStartCode(b []byte) (rest []byte, found bool) {
	_, rest, found = cutAtStartCode(b)
	return rest, found
}

// cutAtStartCode splits b around the next 00 00 01; trailing zeros of before
// belong to the start code.
func cutAtStartCode(b []byte) (before, after []byte, found bool) {
	i := bytes.Index(b, startCode[1:])
	if i < 0 {
		return b, nil, false
	}
	return b[:i], b[i+3:], true
}

// NextAnnexB cuts the first NAL unit off a byte stream, without allocating.
// Bytes before the first start code are skipped; rest is empty at the end.
func NextAnnexB(stream []byte) (nal, rest []byte) {
	_, at, found := cutAtStartCode(stream)
	if !found {
		return nil, nil
	}
	nal, _, found = cutAtStartCode(at)
	if found {
		rest = at[len(nal):]
	}
	return bytes.TrimRight(nal, "\x00"), rest
}
