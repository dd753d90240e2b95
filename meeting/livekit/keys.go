package livekit

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"

	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/dtls/v3/pkg/protocol"
	"github.com/pion/dtls/v3/pkg/protocol/extension"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/dtls/v3/pkg/protocol/recordlayer"
	"github.com/pion/srtp/v3"
)

// handshakes learns with what keys the SFU will encrypt what it sends, when we are the client
// of DTLS: pion/webrtc keeps them to itself. The server's half of what they are made of is on
// the wire, ours and the secret come through the key log; none of it leaves the process, and
// nothing is kept beyond the keys.
type handshakes struct {
	hello *handshake.MessageServerHello
}

// see looks for the server's hello among the records of a datagram (RFC 6347 §4.2).
func (h *handshakes) see(b []byte) {
	records, err := recordlayer.UnpackDatagram(b)
	if err != nil {
		return
	}
	for _, record := range records {
		var header handshake.Header
		message := record[recordlayer.FixedHeaderSize:]
		if protocol.ContentType(record[0]) != protocol.ContentTypeHandshake || header.Unmarshal(message) != nil ||
			header.Type != handshake.TypeServerHello || header.FragmentLength != header.Length {
			continue
		}
		hello := new(handshake.MessageServerHello)
		if hello.Unmarshal(message[handshake.HeaderLength:]) == nil {
			h.hello = hello
		}
	}
}

// context is what decrypts the server's packets, once a line of the key log says the secret
// ("CLIENT_RANDOM", the client's random and the master secret in hexadecimal); nil where
// something is missing, or of a kind that is not known here.
func (h *handshakes) context(line []byte) *srtp.Context {
	words := bytes.Fields(line)
	if h.hello == nil || h.hello.CipherSuiteID == nil || len(words) != 3 || string(words[0]) != "CLIENT_RANDOM" {
		return nil
	}
	s := secret{hash: hashOf(*h.hello.CipherSuiteID)}
	client, err := hex.DecodeString(string(words[1]))
	if err != nil {
		return nil
	}
	if s.master, err = hex.DecodeString(string(words[2])); err != nil {
		return nil
	}
	server := h.hello.Random.MarshalFixed()
	s.randoms = append(client, server[:]...)
	config := srtp.Config{Profile: h.profile()}
	if config.ExtractSessionKeysFromDTLS(s, true) != nil {
		return nil
	}
	context, err := srtp.CreateContext(config.Keys.RemoteMasterKey, config.Keys.RemoteMasterSalt, config.Profile,
		srtp.SRTPReplayProtection(replayWindow))
	if err != nil {
		return nil
	}
	return context
}

// replayWindow is how many packets back one is known to have come before, or is taken when it
// is sent again.
const replayWindow = 512

// profile is what the server chose (RFC 5764 §4.1.1).
func (h *handshakes) profile() srtp.ProtectionProfile {
	for _, e := range h.hello.Extensions {
		if chosen, ok := e.(*extension.UseSRTP); ok && len(chosen.ProtectionProfiles) == 1 {
			return srtp.ProtectionProfile(chosen.ProtectionProfiles[0])
		}
	}
	return 0
}

// hashOf is the hash of a cipher suite's PRF: SHA-256 unless its name says SHA384 (RFC 5289).
func hashOf(suite uint16) func() hash.Hash {
	switch suite {
	case 0xc02c, 0xc030: // TLS_ECDHE_ECDSA and TLS_ECDHE_RSA _WITH_AES_256_GCM_SHA384
		return sha512.New384
	}
	return sha256.New
}

// secret is what both sides make keys of.
type secret struct {
	master, randoms []byte
	hash            func() hash.Hash
}

// ExportKeyingMaterial is the exporter of RFC 5705 §4, without a context.
func (s secret) ExportKeyingMaterial(label string, _ []byte, length int) ([]byte, error) {
	return prf.PHash(s.master, append([]byte(label), s.randoms...), length, s.hash)
}
