package rtpconn

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media/rtpconn/feedback"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

// FuzzReceive gives whatever it likes to a session of a call: nothing panics,
// and a good packet of the far side is still taken.
func FuzzReceive(f *testing.F) {
	add := func(b []byte, err error) {
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	add((&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 5, CSRC: []uint32{1, 2}}, Payload: []byte("audio")}).Marshal())
	add((&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 5, PayloadType: 101}, Payload: []byte{1, 2, 3, 4}}).Marshal())
	add(rtcp.Marshal([]rtcp.Packet{
		&rtcp.SenderReport{SSRC: 5, Reports: []rtcp.ReceptionReport{{SSRC: 7}}},
		rtcp.NewCNAMESourceDescription(5, "x"),
		&rtcp.PictureLossIndication{SenderSSRC: 5}, &rtcp.Goodbye{Sources: []uint32{5}},
		&rtcp.FullIntraRequest{SenderSSRC: 5, FIR: []rtcp.FIREntry{{}}},
		&rtcp.TransportLayerNack{SenderSSRC: 5, Nacks: []rtcp.NackPair{{PacketID: 1, LostPackets: 0xffff}}},
		&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: 5, Bitrate: 1000, SSRCs: []uint32{1}},
	}))
	add(feedback.TMMB{Sender: 5, Entries: []feedback.MaxBitrate{{Bitrate: 1 << 40}}}.Marshal(), nil)
	f.Add([]byte{})
	f.Add([]byte{0x80, 192, 0, 0, 1, 2, 3, 4})
	f.Add([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0})

	plain, far := fuzzed(f, nil)
	k := secure.Key{Suite: secure.AES128GCM, Master: make([]byte, secure.AES128GCM.KeySize())}
	protected, from := fuzzed(f, &k)
	var seq uint16
	f.Fuzz(func(t *testing.T, b []byte) {
		protected.receive(append([]byte(nil), b...), from.addr())
		plain.receive(append([]byte(nil), b...), far.addr())
		// Two packets of one source in order are always taken, whatever came
		// before them.
		before := plain.Stats()[0].Packets
		for range 3 {
			seq++
			good, err := (&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 4242, SequenceNumber: seq}, Payload: []byte("x")}).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			plain.receive(good, far.addr())
		}
		if plain.Stats()[0].Packets == before {
			t.Fatalf("deaf after %x", b)
		}
	})
}

func fuzzed(f *testing.F, k *secure.Key) (*Session, *host) {
	f.Helper()
	s, _ := open(f, video)
	h := newHost(f, s, "127.0.0.1")
	p := h.params(audioParams)
	p.Feedback = Feedback{NACK: true, PLI: true, TMMBR: true}
	p.Security = Security{Send: k, Receive: k}
	if err := s.Apply(p); err != nil {
		f.Fatal(err)
	}
	return s, h
}
