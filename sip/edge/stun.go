package edge

import (
	"encoding/binary"
	"net/netip"
)

// stunCookie marks STUN messages (RFC 8489 §5).
const stunCookie = 0x2112A442

// stunAnswer answers a Binding request, by which terminals keep UDP flows open
// (RFC 5626 §4.4.2); nil for anything else.
//
//	type (2) | length (2) | cookie (4) | transaction (12) | attributes
//	XOR-MAPPED-ADDRESS: 0x0020 | length | 0 | family | port^cookie | address^(cookie, transaction)
func stunAnswer(request []byte, source netip.AddrPort) []byte {
	const header = 20
	if len(request) < header || binary.BigEndian.Uint32(request[4:]) != stunCookie ||
		binary.BigEndian.Uint16(request) != 0x0001 ||
		int(binary.BigEndian.Uint16(request[2:])) != len(request)-header {
		return nil
	}
	addr := source.Addr().Unmap()
	ip := addr.AsSlice()
	family := uint16(1)
	if addr.Is6() {
		family = 2
	}
	out := binary.BigEndian.AppendUint16(nil, 0x0101)
	out = binary.BigEndian.AppendUint16(out, uint16(8+len(ip)))
	out = append(out, request[4:header]...)
	out = binary.BigEndian.AppendUint16(out, 0x0020)
	out = binary.BigEndian.AppendUint16(out, uint16(4+len(ip)))
	out = binary.BigEndian.AppendUint16(out, family)
	out = binary.BigEndian.AppendUint16(out, source.Port()^(stunCookie>>16))
	for i, b := range ip {
		out = append(out, b^request[4+i])
	}
	return out
}
