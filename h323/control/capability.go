package control

import (
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// entry is one thing that a side can receive.
type entry struct {
	number uint16 // capabilityTableEntryNumber; zero: only used in a data type
	role   media.Role
	format media.Format // without a payload type
	bps    int          // bound of the bit rate; zero: not told
}

// announce lists what of our capabilities H.245 has words for, best first. Formats that
// differ by packetization only are one entry: the modes are listed elsewhere.
func announce(can media.Capabilities) []entry {
	var list []entry
	add := func(role media.Role, formats []media.Format, bps int) {
		for _, f := range formats {
			f.PayloadType, f.H264.PacketizationMode = 0, 0
			f.H264.AsymmetryAllowed, f.H264.ParameterSets = false, ""
			e := entry{number: uint16(len(list) + 1), role: role, format: f, bps: bps}
			if _, ok := dataType(e); ok && !listed(list, e) && len(list) < 128 {
				list = append(list, e)
			}
		}
	}
	add(media.Audio, can.Audio, 0)
	add(media.Main, can.Video, can.MaxVideo)
	add(media.Content, can.Content, can.MaxContent)
	add(media.Camera, cameraFormats(&can), 0)
	return list
}

func listed(list []entry, e entry) bool {
	for _, have := range list {
		if have.role == e.role && have.format == e.format {
			return true
		}
	}
	return false
}

// dataType gives what stands for an entry in a channel, and within a Capability.
func dataType(e entry) (h245.DataType, bool) {
	if e.role == media.Audio {
		audio, ok := audioCapability(e.format)
		return h245.DataType{AudioData: audio}, ok
	}
	if e.role == media.Camera {
		return h245.DataType{Data: cameraCapability()}, true
	}
	video, ok := videoCapability(e.format, e.bps)
	if ok && e.role == media.Content {
		video = extendedVideo(video)
	}
	return h245.DataType{VideoData: video}, ok
}

// readDataType reads the entries of a channel's data type: several where one capability
// stands for several formats, as the profiles of H.264 do.
func readDataType(d *h245.DataType) []entry {
	switch {
	case d.AudioData != nil:
		return readAudio(d.AudioData)
	case d.VideoData != nil:
		return readVideo(d.VideoData)
	case d.Data != nil:
		return readData(d.Data)
	case d.H235Media != nil:
		m := &d.H235Media.MediaType
		return readDataType(&h245.DataType{AudioData: m.AudioData, VideoData: m.VideoData, Data: m.Data, MultiplePayloadStream: m.MultiplePayloadStream})
	case d.MultiplePayloadStream != nil:
		// H.239 of some products comes so; the first element that is known counts.
		for i := range d.MultiplePayloadStream.Elements {
			inner := &d.MultiplePayloadStream.Elements[i].DataType
			if inner.MultiplePayloadStream != nil || inner.H235Media != nil {
				continue // nesting has no end otherwise
			}
			if list := readDataType(inner); len(list) > 0 {
				return list
			}
		}
	}
	return nil
}

func readAudio(c *h245.AudioCapability) []entry {
	f, ok := audioFormat(c)
	if !ok {
		return nil
	}
	return []entry{{role: media.Audio, format: f}}
}

func readVideo(c *h245.VideoCapability) []entry {
	role := media.Main
	inner := []h245.VideoCapability{*c}
	if x := c.ExtendedVideoCapability; x != nil {
		inner = x.VideoCapability
		if presents(x) {
			role = media.Content
		}
	}
	var list []entry
	for i := range inner {
		if inner[i].ExtendedVideoCapability != nil {
			continue
		}
		formats, bps := videoFormats(&inner[i])
		for _, f := range formats {
			list = append(list, entry{role: role, format: f, bps: bps})
		}
	}
	return list
}

// videoCapability gives the capability of a video format.
func videoCapability(f media.Format, bps int) (*h245.VideoCapability, bool) {
	switch f.Codec {
	case media.H264:
		return &h245.VideoCapability{GenericVideoCapability: h264Capability(f.H264, bps)}, true
	case media.H263, media.H263Plus:
		return &h245.VideoCapability{H263VideoCapability: h263Capability(f.H263, bps)}, true
	case media.H261:
		return &h245.VideoCapability{H261VideoCapability: h261Capability(f.H263, bps)}, true
	}
	return nil, false
}

// videoFormats reads a video capability.
func videoFormats(c *h245.VideoCapability) (formats []media.Format, bps int) {
	const clock = 90000
	switch {
	case c.GenericVideoCapability != nil:
		list, bps := h264Formats(c.GenericVideoCapability)
		for _, h := range list {
			formats = append(formats, media.Format{Codec: media.H264, ClockRate: clock, H264: h})
		}
		return formats, bps
	case c.H263VideoCapability != nil:
		f, bps := h263Format(c.H263VideoCapability)
		return []media.Format{{Codec: media.H263, ClockRate: clock, H263: f}}, bps
	case c.H261VideoCapability != nil:
		f, bps := h261Format(c.H261VideoCapability)
		return []media.Format{{Codec: media.H261, ClockRate: clock, H263: f}}, bps
	}
	return nil, 0
}

const bitRateUnit = 100 // of H.245, in bit/s

// units turns bit/s into units of 100 bit/s within the range of a field.
func units(bps, otherwise, limit int) int {
	if bps <= 0 {
		return otherwise
	}
	return min(max(bps/bitRateUnit, 1), limit)
}
