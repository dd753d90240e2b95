package rtpconn

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

const encryptedType = 120

func payloadKey(size int, first byte) secure.PayloadKey {
	k := bytes.Repeat([]byte{first}, size)
	return k
}

// encrypted is PCMU under a dynamic payload type, as H.323 terminals encrypt it.
func encrypted(send, receive secure.PayloadKey) func(*Params) {
	return func(p *Params) {
		f := pcmu
		f.PayloadType = encryptedType
		p.Receive, p.Send = map[uint8]media.Format{encryptedType: f}, f
		p.Security = Security{H235: &H235{Send: send, Receive: map[uint8]secure.PayloadKey{encryptedType: receive}}}
	}
}

// secretly connects two sessions with the keys they send with.
func secretly(t testing.TB, a, b *Session, ka, kb secure.PayloadKey) {
	t.Helper()
	pa, pb := audioParams(b), audioParams(a)
	encrypted(ka, kb)(&pa)
	encrypted(kb, ka)(&pb)
	require.NoError(t, a.Apply(pa))
	require.NoError(t, b.Apply(pb))
}

func TestPayloadKeysBothWays(t *testing.T) {
	for _, size := range []int{16, 32} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			a, _ := open(t)
			b, j := open(t)
			secretly(t, a, b, payloadKey(size, 1), payloadKey(size, 2))
			require.Equal(t, "h235", a.agreed.Load().Security.Encryption())
			fa, _, in := flow(t, a, b)
			flow(t, b, a)
			for i := range uint16(50) {
				text := string(bytes.Repeat([]byte{'x'}, 1+int(i)*4))
				fa.send(2+i, uint32(2+i)*160, text)
				require.Equal(t, text, string(in.next(t).Payload))
			}
			require.NoError(t, a.SendDigits(context.Background(), "12#"))
			eventually(t, "digits", func() bool { return j.digits() == "12#" })
			require.Zero(t, b.Counters().Dropped())
			require.Zero(t, b.Stats()[0].Lost)
		})
	}
}

// What is on the wire is not what was sent, and RTCP is in the clear.
func TestPayloadKeysOnTheWire(t *testing.T) {
	s, _ := open(t)
	h := newHost(t, s, "127.0.0.1")
	p := h.params(audioParams)
	encrypted(payloadKey(16, 1), payloadKey(16, 2))(&p)
	require.NoError(t, s.Apply(p))
	f := newFeed(p.Send)
	_, err := s.Publish(t.Context(), f)
	require.NoError(t, err)
	tone := bytes.Repeat([]byte{0x55, 0xd5}, 80)
	for i := range uint16(20) {
		f.send(i, uint32(i)*160, string(tone))
		packet := h.nextRTP()
		require.Equal(t, uint8(encryptedType), packet.PayloadType)
		require.Len(t, packet.Payload, 160)
		require.NotEqual(t, tone, packet.Payload)
		same := 0
		for n := range tone {
			if tone[n] == packet.Payload[n] {
				same++
			}
		}
		require.Less(t, same, 16, "of 160 octets")
	}
	h.rtp(encryptedType, 1, 1, 160, tone[:8]) // less than a block
	eventually(t, "refused", func() bool { return s.Counters().Unauthentic == 1 })
}

func TestMediaInTheClearIsRefusedWhereAKeyIs(t *testing.T) {
	s, _ := open(t)
	h := newHost(t, s, "127.0.0.1")
	p := h.params(audioParams)
	clear := p.Receive
	encrypted(nil, payloadKey(16, 2))(&p)
	for pt, f := range clear { // still among what was agreed on
		p.Receive[pt] = f
	}
	require.NoError(t, s.Apply(p))
	for i := range uint16(5) {
		h.rtp(0, 9, i, uint32(i)*160, make([]byte, 160))
	}
	eventually(t, "refused", func() bool { return s.Counters().Unauthentic == 5 })
	require.Zero(t, s.Stats()[0].Packets)
	// An event in the clear is taken.
	h.rtp(101, 9, 10, 1600, []byte{5, 10, 0, 160})
	eventually(t, "the event", func() bool { return s.Stats()[0].Packets == 1 })
}

// Nothing in H.235.6 tells that a key is wrong, but padding that makes no sense.
func TestWrongPayloadKey(t *testing.T) {
	a, _ := open(t)
	b, _ := open(t)
	secretly(t, a, b, payloadKey(16, 1), payloadKey(16, 2))
	pb := audioParams(a)
	encrypted(payloadKey(16, 2), payloadKey(16, 3))(&pb)
	require.NoError(t, b.Apply(pb))
	f := newFeed(a.agreed.Load().Send)
	_, err := a.Publish(t.Context(), f)
	require.NoError(t, err)
	for i := range uint16(200) {
		f.send(i, uint32(i)*160, "a padded payload, of whatever size")
	}
	eventually(t, "refused", func() bool {
		return b.Counters().Unauthentic+b.Stats()[0].Packets >= 200
	})
	require.Greater(t, b.Counters().Unauthentic, uint64(150), "15 of 16")
}

// A new key comes with a new payload type; no packet is lost.
func TestPayloadKeyUpdate(t *testing.T) {
	a, _ := open(t)
	b, _ := open(t)
	keys := []secure.PayloadKey{payloadKey(16, 1), payloadKey(16, 3)}
	secretly(t, a, b, keys[0], payloadKey(16, 2))
	f, track, in := flow(t, a, b)
	formats := map[uint8]media.Format{encryptedType: pcmu, encryptedType + 1: pcmu}
	pb := b.agreed.Load().Params
	pb.Receive = formats
	pb.Security.H235.Receive = map[uint8]secure.PayloadKey{encryptedType: keys[0], encryptedType + 1: keys[1]}
	require.NoError(t, b.Apply(pb))
	f.send(2, 320, "the old key")
	require.Equal(t, "the old key", string(in.next(t).Payload))
	pa := a.agreed.Load().Params
	pa.Send.PayloadType++
	pa.Security.H235.Send = keys[1]
	require.NoError(t, a.Apply(pa))
	f.send(3, 480, "the new key")
	require.Equal(t, "the new key", string(in.next(t).Payload))
	select {
	case <-track.Done():
		t.Fatal("the track ended with the key")
	default:
	}
	require.Zero(t, b.Counters().Dropped())
}

func TestPayloadKeysAreChecked(t *testing.T) {
	s, _ := open(t)
	k := newKey(t, secure.AES128CM80)
	for name, security := range map[string]Security{
		"no key":        {H235: &H235{}},
		"a short key":   {H235: &H235{Send: payloadKey(15, 1)}},
		"a short key 2": {H235: &H235{Receive: map[uint8]secure.PayloadKey{96: payloadKey(8, 1)}}},
		"srtp as well":  {Send: &k, Receive: &k, H235: &H235{Send: payloadKey(16, 1)}},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, s.Apply(Params{Security: security}), ErrSecurity)
		})
	}
}

func TestPayloadKeysDoNotAllocate(t *testing.T) {
	const runs = 2000
	s, _ := open(t)
	h := newHost(t, s, "127.0.0.1")
	p := h.params(audioParams)
	key := payloadKey(16, 1)
	encrypted(key, key)(&p)
	require.NoError(t, s.Apply(p))
	f := newFeed(p.Send)
	_, err := s.Publish(t.Context(), f)
	require.NoError(t, err)
	packet := &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: make([]byte, 161)}
	require.Zero(t, allocs(1000, func() {
		packet.SequenceNumber++
		packet.Timestamp += 160
		f.out.write(packet)
	}))

	cipher, err := secure.NewPayload(key)
	require.NoError(t, err)
	wires := make([][]byte, runs+10)
	for i := range wires {
		b, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: encryptedType, SSRC: 5, SequenceNumber: uint16(i),
			Timestamp: uint32(i) * 160}, Payload: make([]byte, 161)}).Marshal()
		require.NoError(t, err)
		wires[i], err = cipher.Seal(append(make([]byte, 0, 400), b...))
		require.NoError(t, err)
	}
	s.receive(wires[0], h.addr())
	c := new(counter)
	receive(t, s.Tracks(), "a track").Attach(c)
	from, i := h.addr(), 1
	require.Zero(t, testing.AllocsPerRun(runs, func() {
		s.receive(wires[i], from)
		i++
	}))
	require.Equal(t, runs+1, c.n)
}
