package offer

// security is how one m-line is protected: by crypto (theirs), by dtls, or not
// at all.
type security struct {
	crypto *Crypto
	dtls   *DTLS
}

func (s security) encrypted() bool { return s.crypto != nil || s.dtls != nil }

func (s security) name() string {
	switch {
	case s.crypto != nil:
		return encryptionSDES
	case s.dtls != nil:
		return encryptionDTLS
	}
	return encryptionNone
}

// refusal says why an m-line is not taken.
type refusal uint8

const (
	accepted refusal = iota
	nothingInCommon
	notEncrypted // only the policy is against it
)

// protect decides how an offered m-line is protected. A secure profile without
// keys we can use is refused, never downgraded; keys on RTP/AVP are best effort
// (RFC 8643), of which we take the a=crypto and the a=fingerprint that stand
// with the m-line itself.
func (l *Local) protect(s *Section, handshake *bool) (security, refusal) {
	t, ok := rtpTransport(s.Profile)
	if !ok {
		return security{}, nothingInCommon
	}
	var crypto *Crypto
	var dtls *DTLS
	if l.Encryption != Off {
		if list := s.cryptos(l.suites()); len(list) > 0 && !t.handshake {
			crypto = &list[0]
		}
		dtls = l.handshake(s, t, handshake)
	}
	switch {
	case crypto != nil && (dtls == nil || l.Secure):
		return security{crypto: crypto}, accepted
	case dtls != nil:
		return security{dtls: dtls}, accepted
	case t.secure:
		return security{}, nothingInCommon
	case l.Encryption == Require:
		return security{}, notEncrypted
	}
	return security{}, accepted
}

// handshake is the answer to an offer of DTLS-SRTP, nil where there is none.
func (l *Local) handshake(s *Section, t transport, before *bool) *DTLS {
	fingerprints := readFingerprints(s.all("fingerprint"))
	if t.secure {
		fingerprints = s.fingerprints()
	}
	active, ok := answerSetup(s.setup(), before)
	if l.Fingerprint.Hash == "" || len(fingerprints) == 0 || !ok {
		return nil
	}
	return &DTLS{Fingerprints: fingerprints, Active: active}
}
