package rtpconn

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

func TestRollOverCounterLivesThroughARenegotiation(t *testing.T) {
	for _, suite := range []secure.Suite{secure.AES128CM80, secure.AES256GCM} {
		t.Run(string(suite), func(t *testing.T) {
			a, _ := open(t)
			b, _ := open(t)
			ka, kb := newKey(t, suite), newKey(t, suite)
			a.out.stream.last = 65500 // the wrap is near
			applyKeys(t, a, b, ka, kb)
			f, _, in := flow(t, a, b)
			seq := uint16(2)
			exchange := func(n int) {
				for range n {
					f.send(seq, uint32(seq)*160, "x")
					require.Equal(t, "x", string(in.next(t).Payload))
					seq++
				}
			}
			exchange(100)
			require.Less(t, a.out.stream.last, uint16(1000), "it has wrapped")
			applyKeys(t, a, b, ka, kb) // as a re-INVITE does: the counter is 1
			exchange(100)
			require.Zero(t, b.Counters().Unauthentic)
			ka2, kb2 := newKey(t, suite), newKey(t, suite)
			applyKeys(t, a, b, ka2, kb2) // new keys: the counter is 0 again
			exchange(100)
			require.Zero(t, b.Counters().Unauthentic)
		})
	}
}

func TestPacketsUnderTheKeyBeforeStillOpen(t *testing.T) {
	clock := newManualClock()
	a, _ := open(t)
	b, _ := open(t, on(clock))
	ka, kb, ka2 := newKey(t, secure.AES128CM80), newKey(t, secure.AES128CM80), newKey(t, secure.AES128CM80)
	applyKeys(t, a, b, ka, kb)
	f, _, in := flow(t, a, b)
	pb := audioParams(a)
	pb.Security = Security{Send: &kb, Receive: &ka2}
	require.NoError(t, b.Apply(pb))
	f.send(2, 320, "on its way")
	require.Equal(t, "on its way", string(in.next(t).Payload))
	clock.advance(formerKey)
	f.send(3, 480, "too late")
	eventually(t, "refused", func() bool { return b.Counters().Unauthentic == 1 })
}

func TestUnprotectedAndTamperedMediaIsDropped(t *testing.T) {
	a, _ := open(t)
	b, _ := open(t)
	ka, kb := newKey(t, secure.AES128CM80), newKey(t, secure.AES128CM80)
	applyKeys(t, a, b, ka, kb)
	f, _, in := flow(t, a, b)
	require.NoError(t, a.Apply(audioParams(b))) // a now sends in the clear
	f.send(2, 320, "clear")
	eventually(t, "dropped", func() bool { return b.Counters().Unauthentic == 1 })
	require.Empty(t, in.ch)
	require.Equal(t, uint64(1), b.Stats()[0].Dropped)
}

func dtlsParams(t *testing.T, a, b *Session, client *Session, fingerprints []secure.Fingerprint) {
	t.Helper()
	pa, pb := audioParams(b), audioParams(a)
	pa.Security = Security{DTLS: &DTLS{Client: client == a, Fingerprints: fingerprints}}
	pb.Security = Security{DTLS: &DTLS{Client: client == b, Fingerprints: fingerprints}}
	require.NoError(t, a.Apply(pa))
	require.NoError(t, b.Apply(pb))
}

func localFingerprint(t *testing.T) secure.Fingerprint {
	t.Helper()
	f, err := secure.LocalFingerprint()
	require.NoError(t, err)
	return f
}

func TestDTLSBothRoles(t *testing.T) {
	for _, role := range []string{"client", "server"} {
		t.Run(role, func(t *testing.T) {
			a, ja := open(t)
			b, jb := open(t)
			client := a
			if role == "server" {
				client = b
			}
			fp := []secure.Fingerprint{localFingerprint(t)}
			dtlsParams(t, a, b, client, fp)
			secured := func() bool { return len(ja.of(Secured)) == 1 && len(jb.of(Secured)) == 1 }
			eventually(t, "the handshake", secured)
			fa, _, in := flow(t, a, b)
			flow(t, b, a)
			dtlsParams(t, a, b, client, fp) // the association lives on
			fa.send(2, 320, "x")
			require.Equal(t, "x", string(in.next(t).Payload))
			require.True(t, secured())
			require.Equal(t, "dtls-srtp", a.agreed.Load().Security.Encryption())
		})
	}
}

func TestDTLSRefusesAnotherCertificate(t *testing.T) {
	a, ja := open(t)
	b, _ := open(t)
	wrong := localFingerprint(t)
	flip := byte('A')
	if wrong.Value[0] == flip {
		flip = 'B'
	}
	wrong.Value = string(flip) + wrong.Value[1:]
	dtlsParams(t, a, b, a, []secure.Fingerprint{wrong})
	eventually(t, "the refusal", func() bool { return len(ja.of(SecurityFailed)) == 1 })
	require.ErrorIs(t, ja.of(SecurityFailed)[0].Err, secure.ErrFingerprint)
	require.Empty(t, ja.of(Secured))
	// Nothing is sent in the clear.
	f := newFeed(pcmu)
	_, err := a.Publish(t.Context(), f)
	require.NoError(t, err)
	f.send(0, 0, "secret")
	require.Equal(t, uint64(1), a.Counters().Unsent)
}

func TestMediaWaitsForTheHandshake(t *testing.T) {
	a, _ := open(t)
	b, _ := open(t)
	require.NoError(t, a.Apply(audioParams(b)))
	pb := audioParams(a)
	pb.Security = Security{DTLS: &DTLS{Fingerprints: []secure.Fingerprint{localFingerprint(t)}}}
	require.NoError(t, b.Apply(pb))
	f := newFeed(pcmu)
	_, err := a.Publish(t.Context(), f)
	require.NoError(t, err)
	f.send(0, 0, "clear")
	eventually(t, "dropped as early", func() bool { return b.Counters().Early == 1 })
}
