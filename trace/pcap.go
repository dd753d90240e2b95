package trace

import (
	"encoding/binary"
	"io"
)

// Captures are written in the classic format of pcap with link type 252, exported PDUs:
// each message stands with the name of its dissector and its addresses, and without
// IP and TCP, so it can be read whatever port it came over, and although it had been
// encrypted there:
//
//	tag (2) length (2) value, ... 0 0  message
const (
	pcapMagic    = 0xA1B2C3D4
	exportedPDUs = 252

	tagEnd        = 0
	tagDissector  = 12
	tagSource4    = 20
	tagTarget4    = 21
	tagSource6    = 22
	tagTarget6    = 23
	tagPortType   = 24
	tagSourcePort = 25
	tagTargetPort = 26
)

// dissectors are the names by which Wireshark knows the protocols.
var dissectors = map[Protocol]string{SIP: "sip", H225: "q931.over_ip", H245: "h245dg", RAS: "h225.ras", BFCP: "bfcp"}

// WritePcap writes messages as a capture for Wireshark. Messages that are part of
// others are left out.
func WritePcap(w io.Writer, list []Message) error {
	header := binary.LittleEndian.AppendUint32(nil, pcapMagic)
	header = binary.LittleEndian.AppendUint16(header, 2)
	header = binary.LittleEndian.AppendUint16(header, 4)
	header = append(header, make([]byte, 8)...)
	header = binary.LittleEndian.AppendUint32(header, 1<<18)
	header = binary.LittleEndian.AppendUint32(header, exportedPDUs)
	if _, err := w.Write(header); err != nil {
		return err
	}
	for i := range list {
		if list[i].Within {
			continue
		}
		pdu := append(tags(&list[i]), list[i].Data...)
		record := binary.LittleEndian.AppendUint32(nil, uint32(list[i].Time.Unix()))
		record = binary.LittleEndian.AppendUint32(record, uint32(list[i].Time.Nanosecond()/1000))
		record = binary.LittleEndian.AppendUint32(record, uint32(len(pdu)))
		record = binary.LittleEndian.AppendUint32(record, uint32(len(pdu)))
		if _, err := w.Write(append(record, pdu...)); err != nil {
			return err
		}
	}
	return nil
}

func tags(m *Message) []byte {
	from, to := m.Local, m.Remote
	if m.In {
		from, to = to, from
	}
	var b []byte
	tag := func(kind uint16, value []byte) {
		b = binary.BigEndian.AppendUint16(b, kind)
		b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
		b = append(b, value...)
	}
	number := func(kind uint16, n uint32) { tag(kind, binary.BigEndian.AppendUint32(nil, n)) }
	name := []byte(dissectors[m.Protocol])
	for len(name)%4 != 0 { // values are padded
		name = append(name, 0)
	}
	tag(tagDissector, name)
	source, target := from.Addr().Unmap(), to.Addr().Unmap()
	if source.IsValid() && target.IsValid() && source.Is4() == target.Is4() {
		kinds := [2]uint16{tagSource4, tagTarget4}
		if source.Is6() {
			kinds = [2]uint16{tagSource6, tagTarget6}
		}
		tag(kinds[0], source.AsSlice())
		tag(kinds[1], target.AsSlice())
	}
	const tcp, udp = 2, 3 // epan's port types
	if m.Transport == "udp" {
		number(tagPortType, udp)
	} else {
		number(tagPortType, tcp)
	}
	number(tagSourcePort, uint32(from.Port()))
	number(tagTargetPort, uint32(to.Port()))
	tag(tagEnd, nil)
	return b
}
