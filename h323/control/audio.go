package control

import (
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media"
)

// Generic audio capabilities.
const (
	oidG7221  per.OID = "0.0.7.7221.1.0"            // G.722.1, H.245 maxBitRate in bit/s
	oidG7221C per.OID = "0.0.7.7221.1.1.0"          // G.722.1 Annex C
	oidOpus   per.OID = "1.3.6.1.4.1.17091.1.10.48" // Opus at 48 kHz, of OPAL and H323Plus
)

// g7221Frames is the parameter rxFramesPerPacket of G.722.1, in frames of 20 ms.
const (
	g7221Frames  = 1
	g7221Frame   = 20 * time.Millisecond
	opusMaximum  = 640 // of H323Plus, in 100 bit/s
	defaultFrame = 20 * time.Millisecond
)

// audioCapability gives the capability of an audio format. The number within is the
// longest packet: in milliseconds for G.711 and G.722 (frames of 8 octets).
func audioCapability(f media.Format) (*h245.AudioCapability, bool) {
	length := ptr(uint16(min(max(f.PacketDuration().Milliseconds(), 1), 256)))
	switch f.Codec {
	case media.PCMA:
		return &h245.AudioCapability{G711Alaw64k: length}, true
	case media.PCMU:
		return &h245.AudioCapability{G711Ulaw64k: length}, true
	case media.G722:
		return &h245.AudioCapability{G72264k: length}, true
	case media.G7221:
		return g7221Capability(f)
	case media.Opus:
		return &h245.AudioCapability{GenericAudioCapability: &h245.GenericCapability{
			CapabilityIdentifier: standard(oidOpus), MaxBitRate: ptr(uint32(opusMaximum)),
		}}, true
	}
	return nil, false
}

// audioFormat reads an audio capability.
func audioFormat(c *h245.AudioCapability) (media.Format, bool) {
	plain := func(codec media.Codec, length *uint16) (media.Format, bool) {
		return media.Format{Codec: codec, ClockRate: 8000, Ptime: packetLength(time.Duration(*length) * time.Millisecond)}, true
	}
	switch {
	case c.G711Alaw64k != nil:
		return plain(media.PCMA, c.G711Alaw64k)
	case c.G711Ulaw64k != nil:
		return plain(media.PCMU, c.G711Ulaw64k)
	case c.G72264k != nil:
		return plain(media.G722, c.G72264k)
	case c.GenericAudioCapability != nil:
		g := c.GenericAudioCapability
		switch identifier(g) {
		case oidG7221, oidG7221C:
			return g7221Format(g)
		case oidOpus:
			return media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2, Ptime: defaultFrame}, true
		}
	}
	return media.Format{}, false
}

// packetLength is how long the packets are that we send to who takes up to limit: 20 ms,
// or less where the far side wants so. Zero would be no packet at all.
func packetLength(limit time.Duration) time.Duration {
	if limit <= 0 {
		return defaultFrame
	}
	return min(limit, defaultFrame)
}

// g7221Capability: the bit rate tells the modes of G.722.1 apart. It is in bit/s for
// G.722.1, and in units of 100 bit/s for its Annex C.
func g7221Capability(f media.Format) (*h245.AudioCapability, bool) {
	oid, rate, unit := oidG7221, f.Bitrate, 1
	if f.ClockRate == 32000 {
		oid, unit = oidG7221C, bitRateUnit
	}
	switch {
	case rate == 24000, rate == 32000, rate == 48000 && oid == oidG7221C:
	case rate == 0 && oid == oidG7221:
		rate = 32000
	case rate == 0:
		rate = 48000
	default:
		return nil, false
	}
	frames := max(f.PacketDuration()/g7221Frame, 1)
	return &h245.AudioCapability{GenericAudioCapability: &h245.GenericCapability{
		CapabilityIdentifier: standard(oid), MaxBitRate: ptr(uint32(rate / unit)),
		Collapsing: []h245.GenericParameter{unsignedMin(g7221Frames, uint16(frames))},
	}}, true
}

// g7221Format takes the bit rate in either unit.
func g7221Format(g *h245.GenericCapability) (media.Format, bool) {
	f := media.Format{Codec: media.G7221, ClockRate: 16000, Ptime: g7221Frame}
	if identifier(g) == oidG7221C {
		f.ClockRate = 32000
	}
	if g.MaxBitRate == nil {
		return f, false
	}
	switch *g.MaxBitRate {
	case 240, 24000:
		f.Bitrate = 24000
	case 320, 32000:
		f.Bitrate = 32000
	case 480, 48000:
		f.Bitrate = 48000
	default:
		return f, false
	}
	return f, f.Bitrate != 48000 || f.ClockRate == 32000
}
