package offer

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/roomgate/roomgate/media"
)

// defaultProfileLevel is what a missing profile-level-id means: Baseline,
// level 1 (RFC 6184 §8.1).
const defaultProfileLevel = 0x42000a

// maxParameterSets bounds the decoded sprop-parameter-sets, in bytes.
const maxParameterSets = 8192

const startCode = "\x00\x00\x00\x01"

// readH264 reads the parameters of RFC 6184 §8.1 that bound what may be sent.
func readH264(value string) media.H264Format {
	h := media.H264Format{ProfileLevelID: defaultProfileLevel}
	numbers := map[string]*uint32{
		"max-mbps": &h.MaxMBPS, "max-fs": &h.MaxFS, "max-br": &h.MaxBR, "max-cpb": &h.MaxCPB,
		"max-dpb": &h.MaxDPB, "max-smbps": &h.MaxSMBPS, "max-fps": &h.MaxFPS,
	}
	eachParameter(value, func(key, v string) {
		switch key {
		case "profile-level-id":
			if n, err := strconv.ParseUint(v, 16, 24); err == nil && len(v) == 6 {
				h.ProfileLevelID = uint32(n)
			}
		case "packetization-mode":
			if n, err := strconv.ParseUint(v, 10, 8); err == nil {
				h.PacketizationMode = uint8(n)
			}
		case "level-asymmetry-allowed":
			h.AsymmetryAllowed = v == "1"
		case "sprop-parameter-sets":
			h.ParameterSets = readParameterSets(v)
		default:
			if field := numbers[key]; field != nil {
				if n, err := strconv.ParseUint(v, 10, 32); err == nil {
					*field = uint32(n)
				}
			}
		}
	})
	return h
}

// writeH264 is the reverse of readH264.
func writeH264(h media.H264Format) string {
	var b strings.Builder
	fmt.Fprintf(&b, "profile-level-id=%06x;packetization-mode=%d", h.ProfileLevelID, h.PacketizationMode)
	if h.AsymmetryAllowed {
		b.WriteString(";level-asymmetry-allowed=1")
	}
	for _, p := range []struct {
		name  string
		value uint32
	}{
		{"max-mbps", h.MaxMBPS}, {"max-fs", h.MaxFS}, {"max-br", h.MaxBR}, {"max-cpb", h.MaxCPB},
		{"max-dpb", h.MaxDPB}, {"max-smbps", h.MaxSMBPS}, {"max-fps", h.MaxFPS},
	} {
		if p.value > 0 {
			fmt.Fprintf(&b, ";%s=%d", p.name, p.value)
		}
	}
	if sets := writeParameterSets(h.ParameterSets); sets != "" {
		b.WriteString(";sprop-parameter-sets=" + sets)
	}
	return b.String()
}

// readParameterSets decodes sprop-parameter-sets into NAL units joined by
// start codes. One that cannot be decoded spoils them all.
func readParameterSets(value string) string {
	var b strings.Builder
	for _, item := range strings.Split(value, ",") {
		nal, err := base64.StdEncoding.DecodeString(item)
		if err != nil {
			nal, err = base64.RawStdEncoding.DecodeString(item)
		}
		if err != nil || b.Len()+len(nal) > maxParameterSets {
			return ""
		}
		if len(nal) == 0 {
			continue
		}
		b.WriteString(startCode)
		b.Write(nal)
	}
	return b.String()
}

func writeParameterSets(sets string) string {
	var items []string
	for _, nal := range strings.Split(sets, startCode) {
		if nal != "" {
			items = append(items, base64.StdEncoding.EncodeToString([]byte(nal)))
		}
	}
	return strings.Join(items, ",")
}
