package offer

import "strings"

// transport is what the profile of an m-line says about its packets.
type transport struct {
	secure    bool // SRTP
	handshake bool // keys by DTLS only
}

// rtpTransport reads a profile of RTP over UDP (RFC 3551, 3711, 4585, 5124,
// 5764); others are none of ours.
func rtpTransport(profile string) (transport, bool) {
	switch strings.ToUpper(profile) {
	case "RTP/AVP", "RTP/AVPF":
		return transport{}, true
	case "RTP/SAVP", "RTP/SAVPF":
		return transport{secure: true}, true
	case "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF":
		return transport{secure: true, handshake: true}, true
	}
	return transport{}, false
}

func isSecure(profile string) bool {
	t, ok := rtpTransport(profile)
	return ok && t.secure
}
