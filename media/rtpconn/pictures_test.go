package rtpconn

import (
	"bytes"
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

// Pictures that one leg sends come to another whole and in order, though their packets
// leave together.
func TestPicturesPassBetweenLegs(t *testing.T) {
	for _, suite := range []secure.Suite{"", secure.AES128CM80, secure.AES256GCM} {
		t.Run("suite "+string(suite), func(t *testing.T) {
			near, _ := open(t, video)
			in, _ := open(t, video)
			out, _ := open(t, video)
			far, _ := open(t, video)
			for _, leg := range [][2]*Session{{near, in}, {out, far}} {
				keys := func(*Params) {}
				if suite != "" {
					k := newKey(t, suite)
					keys = func(p *Params) { p.Security = Security{Send: &k, Receive: &k} }
				}
				connect(t, leg[0], leg[1], videoParams, keys)
			}
			camera, track, _ := flow(t, near, in)
			unpublish, err := out.Publish(t.Context(), track)
			require.NoError(t, err)
			defer unpublish()
			seq := uint16(2)
			send := func(size int, marker bool) {
				camera.out.write(&rtp.Packet{
					Header:  rtp.Header{Version: 2, Marker: marker, SequenceNumber: seq, Timestamp: 3000 * uint32(seq), SSRC: 1},
					Payload: bytes.Repeat([]byte{byte(seq)}, size),
				})
				seq++
			}
			send(700, true)
			seen := newInbox()
			defer media.Track(receive(t, far.Tracks(), "a track")).Attach(seen)()
			send(701, true)
			for len(seen.next(t).Payload) != 701 { // the first may have come too
			}
			for range 50 {
				first := seq
				sizes := []int{1182, 1180, 1180, 1180, 1180, 350}
				for i, size := range sizes {
					send(size, i == len(sizes)-1 && first%4 != 0) // some senders leave the marker out
				}
				for i, size := range sizes {
					p := seen.next(t)
					require.Equal(t, bytes.Repeat([]byte{byte(first + uint16(i))}, size), p.Payload)
				}
			}
			require.Zero(t, out.Counters().Unsent)
			require.Zero(t, far.Counters().Unauthentic)
		})
	}
}
