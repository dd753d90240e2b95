package secure

import (
	"errors"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// outcome is what a handshake ended in.
type outcome struct {
	send, receive Key
	err           error
}

// handshake joins a client and a server by their pipes.
func handshake(t *testing.T, forClient, forServer []Fingerprint) (client, server outcome) {
	t.Helper()
	var ends [2]atomic.Pointer[Association]
	results := [2]chan outcome{make(chan outcome, 1), make(chan outcome, 1)}
	for i, announced := range [2][]Fingerprint{forClient, forServer} {
		a, err := NewAssociation(AssociationConfig{
			Client: i == 0, Fingerprints: announced,
			Send: func(b []byte) {
				if peer := ends[1-i].Load(); peer != nil {
					peer.Push(b)
				}
			},
			Done: func(send, receive Key, err error) { results[i] <- outcome{send, receive, err} },
		})
		require.NoError(t, err)
		ends[i].Store(a)
		t.Cleanup(a.Close)
	}
	var got [2]outcome
	for i := range got {
		select {
		case got[i] = <-results[i]:
		case <-time.After(20 * time.Second):
			t.Fatal("the handshake does not end")
		}
	}
	return got[0], got[1]
}

func TestAssociationAgreesOnKeys(t *testing.T) {
	der := func() []byte {
		cert, err := certificate()
		require.NoError(t, err)
		return cert.Certificate[0]
	}()
	for _, hash := range []string{"sha-1", "SHA-256", "sha-384", "sha-512"} {
		t.Run(hash, func(t *testing.T) {
			f, err := fingerprintOf(hash, der)
			require.NoError(t, err)
			f.Value = strings.ToLower(f.Value) // as some write it
			announced := []Fingerprint{{Hash: "md2", Value: "00"}, f}
			client, server := handshake(t, announced, announced)
			require.NoError(t, client.err)
			require.NoError(t, server.err)
			require.True(t, client.send.Equal(server.receive))
			require.True(t, client.receive.Equal(server.send))
			require.False(t, client.send.Equal(client.receive))
			require.NoError(t, client.send.Validate())
		})
	}
}

func TestAssociationRefusesAnotherCertificate(t *testing.T) {
	good, err := LocalFingerprint()
	require.NoError(t, err)
	bad := Fingerprint{Hash: "sha-256", Value: strings.Repeat("00:", 31) + "00"}
	client, server := handshake(t, []Fingerprint{good}, []Fingerprint{bad})
	require.ErrorIs(t, server.err, ErrFingerprint)
	_ = client // it may have been done before the refusal reached it
	client, _ = handshake(t, []Fingerprint{bad}, []Fingerprint{good})
	require.ErrorIs(t, client.err, ErrFingerprint)
}

func TestCloseEndsAHandshakeThatNobodyAnswers(t *testing.T) {
	a, err := NewAssociation(AssociationConfig{
		Client: true, Fingerprints: []Fingerprint{{Hash: "sha-256", Value: "00"}},
		Send: func([]byte) {},
		Done: func(_, _ Key, err error) { t.Errorf("done: %v", err) },
	})
	require.NoError(t, err)
	a.Push([]byte{22, 0xfe, 0xfd})
	a.Close()
}

func TestPipeKeepsDeadlines(t *testing.T) {
	p := newPipe(func([]byte) {})
	buf := make([]byte, 10)
	require.NoError(t, p.SetDeadline(time.Now().Add(-time.Second)))
	_, _, err := p.ReadFrom(buf)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, p.SetReadDeadline(time.Now().Add(time.Millisecond)))
	_, _, err = p.ReadFrom(buf)
	require.True(t, errors.Is(err, os.ErrDeadlineExceeded))
	require.NoError(t, p.SetReadDeadline(time.Time{}))
	for range pipeQueue + 5 { // more than fit
		p.push([]byte("x"))
	}
	n, _, err := p.ReadFrom(buf)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.NoError(t, p.Close())
	_, err = p.WriteTo([]byte("x"), nil)
	require.ErrorIs(t, err, net.ErrClosed)
}
