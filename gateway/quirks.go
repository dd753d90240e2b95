package gateway

import (
	"slices"
	"strings"

	"github.com/roomgate/roomgate/media"
)

// Switches of endpoints: what is not offered to those who cannot bear it.
var switches = map[string]func(*media.Capabilities){
	"no-video":   func(c *media.Capabilities) { c.Video, c.Content = nil, nil },
	"no-content": func(c *media.Capabilities) { c.Content = nil },
	"no-camera":  func(c *media.Capabilities) { c.Camera = false },
	"no-opus":    func(c *media.Capabilities) { c.Audio = less(c.Audio, media.Opus) },
	"no-g7221":   func(c *media.Capabilities) { c.Audio = less(c.Audio, media.G7221) },
	"no-g722":    func(c *media.Capabilities) { c.Audio = less(c.Audio, media.G722) },
	"no-h263": func(c *media.Capabilities) {
		c.Video = less(c.Video, media.H263, media.H263Plus, media.H2632000, media.H261)
	},
	"no-h264": func(c *media.Capabilities) {
		c.Video, c.Content = less(c.Video, media.H264), less(c.Content, media.H264)
	},
	"no-encryption": func(c *media.Capabilities) { c.Encryption = "off" },
	"keys-by-info":  func(c *media.Capabilities) { c.Keypad = false }, // SIP INFO, H.245 in place of RFC 4733
	"single-nal":    func(c *media.Capabilities) { c.Video, c.Content = mode0(c.Video), mode0(c.Content) },
}

// profiles are the switches of kinds of terminals; Endpoint.Vendor names one.
var profiles = map[string][]string{
	"phone":   {"no-video", "no-content", "no-camera"},
	"legacy":  {"no-opus", "no-content", "no-camera", "single-nal"},
	"minimal": {"no-opus", "no-g7221", "no-content", "no-camera", "no-encryption", "single-nal", "keys-by-info"},
}

// Switches names what an endpoint's quirks can be, and Profiles its vendor where that
// switches something.
func Switches() []string { return names(switches) }

// Profiles names the profiles.
func Profiles() []string { return names(profiles) }

func names[T any](m map[string]T) []string {
	list := make([]string, 0, len(m))
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// quirksOf are the switches of a profile with those of the endpoint, which take some
// back with a "-" before.
func quirksOf(vendor string, own []string) []string {
	list := slices.Clone(profiles[vendor])
	for _, q := range own {
		if off, ok := strings.CutPrefix(q, "-"); ok {
			list = slices.DeleteFunc(list, func(have string) bool { return have == off })
		} else if !slices.Contains(list, q) {
			list = append(list, q)
		}
	}
	return list
}

func withQuirks(can media.Capabilities, quirks []string) media.Capabilities {
	require := can.Encryption == "require"
	for _, q := range quirks {
		if change := switches[q]; change != nil {
			change(&can)
		}
	}
	if require { // of the meeting: no endpoint lowers it
		can.Encryption = "require"
	}
	return can
}

func less(list []media.Format, codecs ...media.Codec) []media.Format {
	return slices.DeleteFunc(slices.Clone(list), func(f media.Format) bool {
		return slices.ContainsFunc(codecs, func(c media.Codec) bool { return c.Is(string(f.Codec)) })
	})
}

// mode0 keeps of H.264 what single NAL unit mode can carry (RFC 6184 §5.4).
func mode0(list []media.Format) []media.Format {
	out := slices.DeleteFunc(slices.Clone(list), func(f media.Format) bool {
		return f.Codec.Is(string(media.H264)) && f.H264.PacketizationMode != 0
	})
	if len(out) == 0 {
		return list
	}
	return out
}
