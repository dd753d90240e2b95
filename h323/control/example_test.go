package control_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/roomgate/roomgate/h323/control"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// Two sessions agree on a codec. What one sends the other is given; in a call the messages
// travel in TPKTs, or within call signalling.
func Example() {
	now := time.Now()
	var a, b *control.Session
	var toA, toB []*h245.MultimediaSystemControlMessage
	side := func(host string, out *[]*h245.MultimediaSystemControlMessage, codecs ...media.Codec) *control.Session {
		can := media.Capabilities{}
		for _, c := range codecs {
			can.Audio = append(can.Audio, media.Format{Codec: c, ClockRate: 8000})
		}
		s, err := control.New(control.Config{
			Capabilities: can,
			Send:         func(m *h245.MultimediaSystemControlMessage) { *out = append(*out, m) },
			Emit:         func(control.Event) {},
			Local: func(media.Role) (control.Transport, error) {
				ip := netip.MustParseAddr(host)
				return control.Transport{RTP: netip.AddrPortFrom(ip, 20000), RTCP: netip.AddrPortFrom(ip, 20001)}, nil
			},
		})
		if err != nil {
			panic(err)
		}
		return s
	}
	a = side("192.0.2.1", &toB, media.G722, media.PCMA)
	b = side("192.0.2.2", &toA, media.PCMA)
	a.Start(now)
	for len(toA)+len(toB) > 0 {
		forA, forB := toA, toB
		toA, toB = nil, nil
		for _, m := range forB {
			b.Receive(now, m)
		}
		for _, m := range forA {
			a.Receive(now, m)
		}
	}
	m := a.Medium(media.Audio)
	fmt.Println(m.Stream.Direction, m.Stream.Send, "to", m.RTP)
	// Output: sendrecv PCMA/8000 to 192.0.2.2:20000
}
