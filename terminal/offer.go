package terminal

import (
	"strconv"
	"strings"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/g7221"
)

// vendor is how the offers of a product family look.
type vendor struct {
	userAgent string
	// codecs of audio, best first; nil = defaultCodecs.
	codecs []string
	// profiles of H.264, each offered in the modes given.
	profiles []h264Offer
}

type h264Offer struct {
	format media.H264Format
	modes  []uint8 // nil = as the options say
}

var constrainedBaseline = media.H264Format{ProfileLevelID: 0x42e01f, AsymmetryAllowed: true}

var (
	defaultCodecs = []string{"G722", "PCMA", "PCMU"}
	polycomCodecs = []string{
		"G7221C", "G7221C@32000", "G722", "G7221", "G7221C@24000", "G7221@24000", "PCMU", "PCMA",
	}
)

// vendors shape offers like those of real products.
var vendors = map[string]vendor{
	"": {"roomgate-terminal", nil, []h264Offer{{format: constrainedBaseline}}},
	"polycom": {"PolycomRealPresenceGroup500/6.2", polycomCodecs, []h264Offer{
		{media.H264Format{ProfileLevelID: 0x42801f}, []uint8{0, 1}},
		{media.H264Format{ProfileLevelID: 0x640020}, []uint8{1}},
	}},
	"cisco": {"TANDBERG/529 (ce9.15)", nil, []h264Offer{
		{media.H264Format{
			ProfileLevelID: 0x428016, MaxBR: 5000, MaxMBPS: 490000, MaxFS: 8160, MaxDPB: 16320, MaxSMBPS: 490000, MaxFPS: 6000,
		}, []uint8{0, 1}},
	}},
	"yealink": {"Yealink VC500", nil, []h264Offer{
		{media.H264Format{ProfileLevelID: 0x42801f, MaxMBPS: 108000, MaxFS: 3840}, []uint8{1, 0}},
	}},
}

// firstDynamic is the lowest dynamic payload type we propose.
const firstDynamic = 97

// capabilities are what the terminal offers and answers.
func (p *prepared) capabilities() media.Capabilities {
	can := media.Capabilities{Keypad: true}
	for _, name := range p.Codecs {
		if f, ok := audioFormat(name); ok {
			can.Audio = append(can.Audio, f)
		}
	}
	if p.AudioOnly {
		return can
	}
	can.MaxVideo = p.MaxBitrate
	pt := uint8(firstDynamic)
	for _, name := range p.VideoCodecs {
		if strings.EqualFold(name, "H264") {
			can.Video, pt = p.offerH264(can.Video, pt)
			continue
		}
		f := videoFormat(name)
		if f.PayloadType == 0 {
			f.PayloadType = pt
			pt++
		}
		can.Video = append(can.Video, f)
	}
	can.Camera = !p.NoCamera
	if p.Content != "off" {
		can.Content, can.MaxContent = can.Video, p.MaxBitrate
	}
	return can
}

// offerH264 adds the profiles of the vendor, from payload type pt on.
func (p *prepared) offerH264(list []media.Format, pt uint8) ([]media.Format, uint8) {
	for _, o := range vendors[p.Vendor].profiles {
		modes := o.modes
		if modes == nil {
			modes = p.PacketizationModes
		}
		for _, mode := range modes {
			f := media.Format{Codec: media.H264, PayloadType: pt, ClockRate: 90000, H264: o.format}
			f.H264.PacketizationMode = mode
			list = append(list, f)
			pt++
		}
	}
	return list, pt
}

// videoFormat is a video codec other than H.264 by its name, with its static
// payload type where it has one.
func videoFormat(name string) media.Format {
	f := media.Format{ClockRate: 90000}
	sizes := media.H263Format{CIF: 1, QCIF: 1}
	switch strings.ToUpper(name) {
	case "VP8":
		f.Codec = media.VP8
	case "H263":
		f.Codec, f.PayloadType, f.H263 = media.H263, 34, sizes
	case "H263-1998":
		f.Codec, f.H263 = media.H263Plus, sizes
	case "H261":
		f.Codec, f.PayloadType, f.H263 = media.H261, 31, sizes
	}
	return f
}

// audioFormat is a codec by its usual name; 20 ms, mono where that is said.
// G7221 and G7221C (Annex C) may have a bit rate other than their highest:
// G7221C@24000.
func audioFormat(name string) (media.Format, bool) {
	name, bitrate, stated := strings.Cut(strings.ToUpper(name), "@")
	if stated && !strings.HasPrefix(name, "G7221") {
		return media.Format{}, false
	}
	switch name {
	case "PCMU":
		return media.Format{Codec: media.PCMU, PayloadType: 0, ClockRate: 8000, Channels: 1}, true
	case "PCMA":
		return media.Format{Codec: media.PCMA, PayloadType: 8, ClockRate: 8000, Channels: 1}, true
	case "G729":
		return media.Format{Codec: media.G729, PayloadType: 18, ClockRate: 8000, Channels: 1}, true
	case "G722":
		return media.Format{Codec: media.G722, PayloadType: 9, ClockRate: 8000, Channels: 1}, true
	case "G7221":
		return g7221Format(102, g7221.Mode{Rate: 16000, Bitrate: 32000}, bitrate)
	case "G7221C":
		return g7221Format(115, g7221.Mode{Rate: 32000, Bitrate: 48000}, bitrate)
	case "OPUS":
		return media.Format{Codec: media.Opus, PayloadType: 96, ClockRate: 48000, Channels: 2, Opus: media.OpusFormat{InbandFEC: true}}, true
	}
	return media.Format{}, false
}

// g7221Format is G.722.1 in a mode, or at the bit rate that is stated.
func g7221Format(payloadType uint8, m g7221.Mode, bitrate string) (media.Format, bool) {
	if bitrate != "" {
		n, err := strconv.Atoi(bitrate)
		if err != nil {
			return media.Format{}, false
		}
		m.Bitrate = n
	}
	f := media.Format{Codec: media.G7221, PayloadType: payloadType, ClockRate: uint32(m.Rate), Channels: 1, Bitrate: m.Bitrate}
	return f, m.Valid()
}

// samplingRate is how a codec samples, which for G.722 and Opus is not what
// its RTP clock says.
func samplingRate(f media.Format) int {
	switch {
	case f.Codec.Is("G722"):
		return 16000
	case f.Codec.Is("opus"):
		return 48000
	}
	return int(f.ClockRate)
}
