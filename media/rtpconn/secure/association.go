package secure

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/pion/dtls/v3"
)

// AssociationConfig describes a DTLS association beside the media it will
// protect.
type AssociationConfig struct {
	// Client is the side that says hello first (a=setup:active).
	Client bool
	// Fingerprints are those the far side announced.
	Fingerprints []Fingerprint
	// Send sends a datagram to the far side; it must not keep it.
	Send func(datagram []byte)
	// Done is called once, on the association's goroutine, with the keys of
	// both directions or the reason why there are none. It is not called after
	// Close.
	Done func(send, receive Key, err error)
}

// Association is a DTLS-SRTP association (RFC 5764).
type Association struct {
	cfg    AssociationConfig
	pipe   *pipe
	cancel context.CancelFunc
	ended  chan struct{}
}

// clientPatience is how long a client asks an endpoint that does not answer. A
// server waits as long as the call lives.
const clientPatience = 30 * time.Second

// srtpProfiles are offered and accepted in this order.
var srtpProfiles = []dtls.SRTPProtectionProfile{
	dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AEAD_AES_128_GCM,
	dtls.SRTP_AES128_CM_HMAC_SHA1_80, dtls.SRTP_AES128_CM_HMAC_SHA1_32,
}

var suiteOfProfile = map[dtls.SRTPProtectionProfile]Suite{
	dtls.SRTP_AEAD_AES_256_GCM:       AES256GCM,
	dtls.SRTP_AEAD_AES_128_GCM:       AES128GCM,
	dtls.SRTP_AES128_CM_HMAC_SHA1_80: AES128CM80,
	dtls.SRTP_AES128_CM_HMAC_SHA1_32: AES128CM32,
}

// NewAssociation starts the handshake.
func NewAssociation(cfg AssociationConfig) (*Association, error) {
	ctx, cancel := context.WithCancel(context.Background())
	a := &Association{cfg: cfg, pipe: newPipe(cfg.Send), cancel: cancel, ended: make(chan struct{})}
	conn, err := a.open()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("dtls: %w", err)
	}
	go a.run(ctx, conn)
	return a, nil
}

// Push takes a datagram of the far side; it is dropped when too many wait.
func (a *Association) Push(datagram []byte) { a.pipe.push(datagram) }

// Close ends the association and waits until it has ended.
func (a *Association) Close() {
	a.cancel()
	<-a.ended
}

func (a *Association) open() (*dtls.Conn, error) {
	cert, err := certificate()
	if err != nil {
		return nil, err
	}
	check := func(raw [][]byte, _ [][]*x509.Certificate) error {
		if len(raw) == 0 {
			return ErrFingerprint
		}
		return verify(a.cfg.Fingerprints, raw[0])
	}
	if a.cfg.Client {
		return dtls.ClientWithOptions(a.pipe, pipeAddr{},
			dtls.WithCertificates(cert),
			dtls.WithInsecureSkipVerify(true), // the fingerprint is what counts
			dtls.WithVerifyPeerCertificate(check),
			dtls.WithSRTPProtectionProfiles(srtpProfiles...),
			dtls.WithExtendedMasterSecret(dtls.RequestExtendedMasterSecret),
			dtls.WithFlightInterval(flightInterval))
	}
	return dtls.ServerWithOptions(a.pipe, pipeAddr{},
		dtls.WithCertificates(cert),
		dtls.WithInsecureSkipVerify(true),
		dtls.WithVerifyPeerCertificate(check),
		dtls.WithClientAuth(dtls.RequireAnyClientCert),
		dtls.WithSRTPProtectionProfiles(srtpProfiles...),
		dtls.WithExtendedMasterSecret(dtls.RequestExtendedMasterSecret),
		dtls.WithFlightInterval(flightInterval))
}

// flightInterval is the first wait before a flight is sent again.
const flightInterval = 250 * time.Millisecond

func (a *Association) run(ctx context.Context, conn *dtls.Conn) {
	defer close(a.ended)
	defer a.pipe.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()

	send, receive, err := a.handshake(ctx, conn)
	if ctx.Err() != nil {
		conn.Close()
		return
	}
	a.cfg.Done(send, receive, err)
	if err != nil {
		conn.Close()
		<-ctx.Done()
		return
	}
	// Read on: a lost final flight is asked for again, and application data,
	// which has no meaning here, is passed over.
	buf := make([]byte, 2048)
	for {
		if _, err := conn.Read(buf); err != nil {
			break
		}
	}
	conn.Close()
	<-ctx.Done()
}

func (a *Association) handshake(ctx context.Context, conn *dtls.Conn) (send, receive Key, err error) {
	if a.cfg.Client {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, clientPatience)
		defer cancel()
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return Key{}, Key{}, fmt.Errorf("dtls handshake: %w", err)
	}
	return a.export(conn)
}

// export draws the SRTP keys from the association (RFC 5764 §4.2): client key,
// server key, client salt, server salt.
func (a *Association) export(conn *dtls.Conn) (send, receive Key, err error) {
	profile, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return Key{}, Key{}, errors.New("dtls: no srtp profile agreed on")
	}
	suite, ok := suiteOfProfile[profile]
	if !ok {
		return Key{}, Key{}, fmt.Errorf("dtls: srtp profile %#04x: %w", uint16(profile), ErrUnknownSuite)
	}
	keyLen, saltLen, err := suite.lengths()
	if err != nil {
		return Key{}, Key{}, err
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return Key{}, Key{}, errors.New("dtls: no state after the handshake")
	}
	material, err := state.ExportKeyingMaterial("EXTRACTOR-dtls_srtp", nil, 2*(keyLen+saltLen))
	if err != nil {
		return Key{}, Key{}, fmt.Errorf("dtls: export keys: %w", err)
	}
	cut := func(n int) []byte {
		part := material[:n:n]
		material = material[n:]
		return part
	}
	clientKey, serverKey := cut(keyLen), cut(keyLen)
	clientSalt, serverSalt := cut(saltLen), cut(saltLen)
	client := Key{Suite: suite, Master: append(clientKey, clientSalt...)}
	server := Key{Suite: suite, Master: append(serverKey, serverSalt...)}
	if a.cfg.Client {
		return client, server, nil
	}
	return server, client, nil
}

var _ net.PacketConn = (*pipe)(nil)
