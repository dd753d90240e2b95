package h323

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/control"
	"github.com/roomgate/roomgate/h323/h235"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

// A new key of the far side takes the place of the one before, which stays for packets
// that are on their way, until another comes.
func TestKeysOfAMedium(t *testing.T) {
	var k keys
	key := func(synch uint8) *control.Key {
		return &control.Key{Synch: synch, Key: []byte{synch, 15: 0}}
	}
	received := func(synch ...uint8) map[uint8]secure.PayloadKey {
		m := map[uint8]secure.PayloadKey{}
		for _, s := range synch {
			m[s] = key(s).Key
		}
		return m
	}
	require.Nil(t, k.protect(&control.Medium{}))
	for _, step := range []struct {
		send, receive uint8
		want          map[uint8]secure.PayloadKey
	}{
		{97, 0, nil}, {97, 98, received(98)}, {97, 98, received(98)}, {96, 99, received(99, 98)},
		{96, 99, received(99, 98)}, {96, 100, received(100, 99)}, {0, 100, received(100, 99)},
	} {
		m := new(control.Medium)
		if step.send != 0 {
			m.SendKey = key(step.send)
		}
		if step.receive != 0 {
			m.RecvKey = key(step.receive)
		}
		h := k.protect(m)
		require.Equal(t, step.want, h.Receive)
		require.Equal(t, step.send != 0, h.Send != nil)
	}
	// A key that changes under the same payload type takes over at once.
	again := &control.Key{Synch: 100, Key: []byte{1, 15: 1}}
	require.Equal(t, map[uint8]secure.PayloadKey{100: again.Key}, k.protect(&control.Medium{RecvKey: again}).Receive)
	require.Nil(t, k.protect(&control.Medium{}))
	require.Equal(t, received(100), k.protect(&control.Medium{RecvKey: key(100)}).Receive, "nothing is left of a medium that ended")
}

// A key goes from the master to the slave, and nothing but the algorithm that both know.
func TestSecrecy(t *testing.T) {
	var caller, called secrecy
	require.Nil(t, caller.Algorithms())
	_, _, err := caller.NewKey(h235.AES128CBC, 96)
	require.Error(t, err)
	_, err = caller.ReadKey(h235.AES128CBC, nil)
	require.Error(t, err)

	offer := caller.offer()
	require.True(t, caller.open())
	require.NoError(t, called.take(nil), "a caller without tokens")
	require.Nil(t, called.secret)
	require.NoError(t, called.take(offer))
	require.NoError(t, caller.answered(nil), "an answer without tokens may be followed by one with")
	require.NoError(t, caller.answered(called.answer))
	require.False(t, caller.open())
	require.Equal(t, h235.DH2048, caller.secret.Group())
	for _, algorithm := range caller.Algorithms() {
		made, sync, err := called.NewKey(algorithm, 101)
		require.NoError(t, err)
		read, err := caller.ReadKey(algorithm, sync)
		require.NoError(t, err)
		require.Equal(t, made, read)
	}
	// A second offer begins anew: the call goes another way.
	caller.offer()
	require.Nil(t, caller.Algorithms())
	bad := called.answer[0]
	bad.Dhkey.Halfkey.Bytes = make([]byte, 256)
	require.ErrorIs(t, caller.answered(called.answer), h235.ErrHalfKey)
	require.Nil(t, caller.Algorithms())
}
