package h264

import (
	"encoding/binary"
	"testing"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// feed cuts data into packets: a byte of sequence step, one of flags and
// timestamp step, two of length, the payload.
func feed(data []byte, w media.Writer) {
	p := &rtp.Packet{}
	for len(data) >= 4 {
		p.SequenceNumber += uint16(data[0])
		p.Marker = data[1]&1 != 0
		p.Timestamp += uint32(data[1]>>1) * 450
		n := min(int(binary.BigEndian.Uint16(data[2:4])), len(data)-4)
		p.Payload = data[4 : 4+n]
		data = data[4+n:]
		_ = w.WriteRTP(p)
	}
}

// record is the reverse of feed.
func record(ps []*rtp.Packet) []byte {
	var out []byte
	for i, p := range ps {
		flags := byte(0)
		if p.Marker {
			flags = 1
		}
		if i > 0 && p.Timestamp != ps[i-1].Timestamp {
			flags |= 8 << 1
		}
		out = append(out, 1, flags, byte(len(p.Payload)>>8), byte(len(p.Payload)))
		out = append(out, p.Payload...)
	}
	return out
}

func seed(f *testing.F) {
	for _, name := range []string{"baseline", "baseline-slices", "main-cabac", "high-fields"} {
		ps := packets(f, vector(f, name)[:6], 1, 400)
		f.Add(record(ps[:min(len(ps), 8)]))
	}
	f.Add([]byte{1, 0, 0, 5, 0x18, 0, 2, 0x67, 0x42})
	f.Add([]byte{1, 0, 0, 3, 0x7c, 0xc5, 1, 1, 1, 0, 3, 0x7c, 0x45, 1})
}

func FuzzDepacketizer(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		d := NewDepacketizer(func(u Unit) {
			if ty := TypeOf(u.NAL); ty == 0 || ty >= stapA {
				t.Fatalf("unit of type %d", ty)
			}
		}, nil)
		feed(data, d)
	})
}

// What a repacketizer writes is always well-formed, whatever comes in.
func FuzzRepacketizer(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		out := NewDepacketizer(func(Unit) {}, nil)
		feed(data, NewRepacketizer(media.WriterFunc(func(p *rtp.Packet) error {
			if p.MarshalSize() > 300 {
				t.Fatalf("packet of %d bytes", p.MarshalSize())
			}
			return out.WriteRTP(p)
		}), RepacketizerConfig{Mode: 1, MaxPacket: 300}))
		if s := out.Stats(); s.Malformed != 0 || s.Damaged != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func FuzzSwitch(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		sw := NewSwitch(SwitchConfig{Receiver: Receiver{AnySize: true, Format: media.H264Format{ProfileLevelID: 0x640034, PacketizationMode: 1}}})
		defer sw.Close()
		out := NewDepacketizer(func(Unit) {}, nil)
		defer sw.Attach(out)()
		a, b := &camera{done: make(chan struct{})}, &camera{done: make(chan struct{})}
		sw.Select(a)
		feed(data, a.writers[0])
		sw.Select(b)
		feed(data, b.writers[0])
		if s := out.Stats(); s.Malformed != 0 || s.Damaged != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func FuzzParameterSets(f *testing.F) {
	for _, name := range vectors {
		units := vector(f, name)
		f.Add(annexB(units[:4]))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var sets parameterSets
		var w idrRewriter
		for _, nal := range SplitAnnexB(data) {
			switch ty := TypeOf(nal); {
			case ty == SPSUnit || ty == PPSUnit:
				_ = sets.put(nal)
			case ty == IDR:
				sps, pps, _ := sets.of(nal)
				if sps == nil {
					continue
				}
				if out, err := w.rewrite(nal, sps, pps, 3); err == nil {
					h, err := ParseSliceHeader(out, sps)
					if err != nil || h.IDRPicID != 3 {
						t.Fatalf("rewritten to %d: %v", h.IDRPicID, err)
					}
				}
			}
		}
	})
}
