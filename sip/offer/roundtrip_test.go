package offer

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// sides are the capabilities of one party, by name.
var sides = map[string]func(*Local){
	"all": func(*Local) {},
	"phone": func(l *Local) {
		l.Capabilities.Audio, l.Transport = []media.Format{pcmu, pcma}, [4]Transport{{RTP: 5000}}
	},
	"noise":        func(l *Local) { l.Capabilities.Audio = []media.Format{pcma, cn} },
	"no keypad":    func(l *Local) { l.Capabilities.Keypad = false },
	"one video":    func(l *Local) { l.Capabilities.Content = nil },
	"mode 0":       func(l *Local) { l.Capabilities.Video = []media.Format{baseMode0} },
	"mode 1":       func(l *Local) { l.Capabilities.Video = []media.Format{baseMode1} },
	"other number": func(l *Local) { l.Capabilities.Video = []media.Format{h264Format(120, 0x42e016, 1)} },
	"hold":         func(l *Local) { l.Capabilities.Hold = true },
	"mux":          func(l *Local) { l.Mux = true },
	"odd ports": func(l *Local) {
		l.Transport = [4]Transport{{RTP: 7001, RTCP: 9000}, {RTP: 7003}, {RTP: 65535, RTCP: 65534}}
	},
	"IPv6": func(l *Local) { l.Address = ourV6 },
}

// Two of us always understand each other: what one sends the other receives.
func TestRoundTrips(t *testing.T) {
	for nameA, sideA := range sides {
		for nameB, sideB := range sides {
			for _, policies := range [][2]Policy{{Off, Off}, {Prefer, Prefer}, {Off, Prefer}, {Prefer, Off}, {Require, Prefer}, {Prefer, Require}, {Require, Require}} {
				name := fmt.Sprintf("%s to %s, %s to %s", nameA, nameB, policies[0], policies[1])
				a, b := gateway(), gateway()
				b.Rand, b.ID, b.Encryption, a.Encryption = keys(2), 5678, policies[1], policies[0]
				sideA(a)
				sideB(b)
				resultA, resultB := roundTrip(t, name, a, b, nil, nil)
				if policies[0] != Off && policies[1] != Off {
					require.Equal(t, "srtp", resultA.Encryption(), name)
				}
				// And the other way, within the dialog.
				roundTrip(t, name+", and back", b, a, resultB.State, resultA.State)
			}
		}
	}
}

func roundTrip(t *testing.T, name string, a, b *Local, stateA, stateB *State) (resultA, resultB *Result) {
	body, offered, err := Offer(a, stateA)
	require.NoError(t, err, name)
	strict(t, body)
	offer := parsed(t, string(body))
	require.Zero(t, offer.Skipped)
	answer, resultB, err := Answer(offer, b, stateB)
	require.NoError(t, err, "%s\n%s", name, body)
	strict(t, answer)
	d := parsed(t, string(answer))
	require.Zero(t, d.Skipped)
	require.Empty(t, Check(offer, d), "%s\n%s\n%s", name, body, answer)
	resultA, err = Complete(offered, d, a)
	require.NoError(t, err, "%s\n%s\n%s", name, body, answer)
	require.Len(t, resultA.Media, len(resultB.Media), name)
	for i := range resultA.Media {
		mirrored(t, name, &resultA.Media[i], &resultB.Media[i])
	}
	return resultA, resultB
}

// mirrored: both ends agree about one stream.
func mirrored(t *testing.T, name string, a, b *Medium) {
	require.Equal(t, a.Stream.Role, b.Stream.Role, name)
	require.Equal(t, a.Stream.Direction, b.Stream.Direction.Reverse(), name)
	require.Equal(t, a.Stream.Encryption, b.Stream.Encryption, name)
	require.Equal(t, a.Mux, b.Mux, name)
	require.Equal(t, a.Feedback, b.Feedback, name)
	require.Equal(t, a.SendEvents.PayloadType, b.RecvEvents.PayloadType, name)
	require.Equal(t, b.SendEvents.PayloadType, a.RecvEvents.PayloadType, name)
	for _, pair := range [][2]*Medium{{a, b}, {b, a}} {
		sender, receiver := pair[0], pair[1]
		f, ok := receiver.Format(sender.Stream.Send.PayloadType)
		require.True(t, ok, name)
		require.True(t, same(f, sender.Stream.Send), name)
		require.Equal(t, receiver.Stream.Recv.PayloadType, sender.Stream.Send.PayloadType, name)
		require.Equal(t, f.H264.PacketizationMode, sender.Stream.Send.H264.PacketizationMode, name)
		if sender.SRTP != nil {
			require.Equal(t, sender.SRTP.Out.Keys, receiver.SRTP.In.Keys, name)
			require.Equal(t, sender.SRTP.Out.Suite, receiver.SRTP.In.Suite, name)
			require.NotEqual(t, sender.SRTP.Out.Keys, sender.SRTP.In.Keys, name)
		}
	}
}

// An offer of ours within a dialog repeats what the last one said.
func TestOfferIsStable(t *testing.T) {
	for name, side := range sides {
		a, b := gateway(), gateway()
		side(a)
		b.ID, b.Rand = 99, keys(2)
		first, _ := roundTrip(t, name, a, b, nil, nil)
		one, offered, err := Offer(a, first.State)
		require.NoError(t, err)
		two, _, err := Offer(a, offered)
		require.NoError(t, err)
		assert.Equal(t, string(one), string(two), name)
	}
}
