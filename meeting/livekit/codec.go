package livekit

import (
	"strings"

	"github.com/pion/webrtc/v3"

	"github.com/roomgate/roomgate/media"
)

// baseline is how our H.264 is announced whatever its profile: with any other
// parameters subscribers are offered packetization-mode 0, although the server
// forwards the very same packets.
const baseline = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"

// wireCodec is a codec as it stands in our SDP; zero for one we do not know.
func wireCodec(codec media.Codec) (webrtc.RTPCodecParameters, webrtc.RTPCodecType) {
	video := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}}
	entry := func(mime string, rate uint32, channels uint16, fmtp string, feedback []webrtc.RTCPFeedback, pt uint8) webrtc.RTPCodecParameters {
		return webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mime, ClockRate: rate, Channels: channels, SDPFmtpLine: fmtp, RTCPFeedback: feedback},
			PayloadType:        webrtc.PayloadType(pt),
		}
	}
	switch {
	case codec.Is(string(media.Opus)):
		return entry(webrtc.MimeTypeOpus, 48000, 2, "minptime=10;useinbandfec=1", nil, 111), webrtc.RTPCodecTypeAudio
	case codec.Is(string(media.PCMU)):
		return entry(webrtc.MimeTypePCMU, 8000, 0, "", nil, 0), webrtc.RTPCodecTypeAudio
	case codec.Is(string(media.PCMA)):
		return entry(webrtc.MimeTypePCMA, 8000, 0, "", nil, 8), webrtc.RTPCodecTypeAudio
	case codec.Is(string(media.H264)):
		return entry(webrtc.MimeTypeH264, 90000, 0, baseline, video, 108), webrtc.RTPCodecTypeVideo
	case codec.Is(string(media.VP8)):
		return entry(webrtc.MimeTypeVP8, 90000, 0, "", video, 96), webrtc.RTPCodecTypeVideo
	case codec.Is(string(media.VP9)):
		return entry(webrtc.MimeTypeVP9, 90000, 0, "profile-id=0", video, 98), webrtc.RTPCodecTypeVideo
	case codec.Is(string(media.AV1)):
		return entry(webrtc.MimeTypeAV1, 90000, 0, "", video, 35), webrtc.RTPCodecTypeVideo
	}
	return webrtc.RTPCodecParameters{}, 0
}

// publishable reports whether a track of this role and format can go out.
func publishable(role media.Role, f media.Format) bool {
	if role == media.Audio {
		return f.Codec.Is(string(media.Opus)) || f.Codec.Is(string(media.PCMU)) || f.Codec.Is(string(media.PCMA))
	}
	return f.Codec.Is(string(media.H264)) || f.Codec.Is(string(media.VP8))
}

// formatOf reads a negotiated codec as a format.
func formatOf(c webrtc.RTPCodecParameters) media.Format {
	_, name, _ := strings.Cut(c.MimeType, "/")
	f := media.Format{Codec: codecNamed(name), PayloadType: uint8(c.PayloadType), ClockRate: c.ClockRate, Channels: uint8(c.Channels)}
	if f.Codec.Is(string(media.H264)) {
		// What the SDP says about the profile is the server's invention: the
		// parameter sets in the stream are the truth.
		f.H264 = media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1, AsymmetryAllowed: true}
	}
	return f
}

// codecNamed gives a name its usual spelling.
func codecNamed(name string) media.Codec {
	for _, known := range []media.Codec{media.Opus, media.PCMU, media.PCMA, media.H264, media.VP8, media.VP9, media.AV1} {
		if known.Is(name) {
			return known
		}
	}
	return media.Codec(name)
}
