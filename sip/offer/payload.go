package offer

import (
	"strconv"
	"strings"

	"github.com/roomgate/roomgate/media"
)

// payload is one payload type of one m-line.
type payload struct {
	media.Format
	events EventSet // of telephone-event
}

// static are the payload types of RFC 3551 §6 that need no a=rtpmap.
var static = map[uint8]media.Format{
	0:  {Codec: media.PCMU, ClockRate: 8000},
	2:  {Codec: "G726-32", ClockRate: 8000},
	3:  {Codec: "GSM", ClockRate: 8000},
	4:  {Codec: "G723", ClockRate: 8000},
	8:  {Codec: media.PCMA, ClockRate: 8000},
	9:  {Codec: media.G722, ClockRate: 8000},
	10: {Codec: "L16", ClockRate: 44100, Channels: 2},
	11: {Codec: "L16", ClockRate: 44100},
	13: {Codec: media.ComfortNoise, ClockRate: 8000},
	15: {Codec: "G728", ClockRate: 8000},
	18: {Codec: media.G729, ClockRate: 8000},
	31: {Codec: media.H261, ClockRate: 90000},
	34: {Codec: media.H263, ClockRate: 90000},
}

// readPayloads reads the payload types of the m-line in its order. Types
// without a meaning are kept without a codec: an answer may use ours.
func (s *Section) readPayloads() []payload {
	maps := byPayloadType(s.all("rtpmap"))
	params := byPayloadType(s.all("fmtp"))
	var (
		list []payload
		seen [maxFormats]bool
	)
	for _, text := range s.Formats {
		pt, ok := payloadType(text)
		if !ok || seen[pt] {
			continue
		}
		seen[pt] = true
		p := payload{Format: static[pt]}
		if f, ok := readRTPMap(maps[pt]); ok {
			p.Format = f
		}
		p.PayloadType = pt
		p.readParameters(params[pt])
		list = append(list, p)
	}
	return list
}

// payloadType reads a payload type: seven bits.
func payloadType(text string) (uint8, bool) {
	n, err := strconv.ParseUint(text, 10, 7)
	return uint8(n), err == nil
}

// maxParameters bounds the a=fmtp of one payload type, in bytes.
const maxParameters = 16384

// byPayloadType sorts a=rtpmap or a=fmtp values by the payload type they begin
// with. Several lines for one type are joined as parameters are.
func byPayloadType(values []string) map[uint8]string {
	sorted := make(map[uint8]string, len(values))
	for _, v := range values {
		number, rest, _ := strings.Cut(v, " ")
		pt, ok := payloadType(number)
		if !ok {
			continue
		}
		rest = strings.TrimSpace(rest)
		switch before := sorted[pt]; {
		case before == "":
			sorted[pt] = rest
		case rest != "" && len(before)+len(rest) < maxParameters:
			sorted[pt] = before + ";" + rest
		}
	}
	return sorted
}

// readRTPMap reads <name>/<clock>[/<channels>] (RFC 4566 §6).
func readRTPMap(value string) (media.Format, bool) {
	value, _, _ = strings.Cut(value, ";") // a second line for the same type
	f := strings.Split(strings.TrimSpace(value), "/")
	if len(f) < 2 || !isToken(f[0]) {
		return media.Format{}, false
	}
	clock, err := strconv.ParseUint(f[1], 10, 32)
	if err != nil {
		return media.Format{}, false
	}
	format := media.Format{Codec: codecNamed(f[0]), ClockRate: uint32(clock)}
	if len(f) > 2 {
		if n, err := strconv.ParseUint(f[2], 10, 8); err == nil {
			format.Channels = uint8(n)
		}
	}
	return format, true
}

// codecNamed gives a name our spelling, so that formats compare.
func codecNamed(name string) media.Codec {
	for _, c := range []media.Codec{
		media.PCMU, media.PCMA, media.G722, media.G7221, media.G729, media.Opus, media.TelephoneEvent,
		media.ComfortNoise, media.H264, media.H263, media.H263Plus, media.H2632000, media.H261, media.VP8, media.VP9, media.AV1, media.H224,
	} {
		if c.Is(name) {
			return c
		}
	}
	return media.Codec(name)
}

// readParameters reads a=fmtp as the codec asks for.
func (p *payload) readParameters(value string) {
	switch p.Codec {
	case media.H264:
		p.H264 = readH264(value)
	case media.H263, media.H263Plus, media.H2632000, media.H261:
		p.H263 = readH263(value)
	case media.Opus:
		p.Opus = readOpus(value)
	case media.TelephoneEvent:
		p.events = readEvents(value)
	case media.G7221:
		eachParameter(value, func(key, v string) {
			if n, err := strconv.ParseUint(v, 10, 20); key == "bitrate" && err == nil {
				p.Bitrate = int(n)
			}
		})
	}
}

// eachParameter calls f with every key=value of a=fmtp, keys in lower case.
// A semicolon within braces belongs to the value.
func eachParameter(value string, f func(key, value string)) {
	depth, start := 0, 0
	for i := 0; i <= len(value); i++ {
		if i < len(value) {
			switch value[i] {
			case '{':
				depth++
			case '}':
				depth = max(depth-1, 0)
			}
			if value[i] != ';' || depth > 0 {
				continue
			}
		}
		key, v, _ := strings.Cut(value[start:i], "=")
		if key = strings.TrimSpace(key); key != "" {
			f(strings.ToLower(key), strings.TrimSpace(v))
		}
		start = i + 1
	}
}

// same reports whether two formats are one encoding in SDP: name, clock and
// channels, where Opus has always two whatever is written (RFC 7587 §7).
func same(a, b media.Format) bool {
	if a.Codec == media.Opus && b.Codec == media.Opus {
		return a.ClockRate == b.ClockRate
	}
	return a.Codec != "" && a.Encodes(b)
}

// isCodec tells codecs from what only accompanies them.
func isCodec(f media.Format) bool {
	return f.Codec != media.TelephoneEvent && f.Codec != media.ComfortNoise
}

// rtpmap writes the value of a=rtpmap.
func rtpmap(f media.Format) string {
	text := strconv.Itoa(int(f.PayloadType)) + " " + string(f.Codec) + "/" + strconv.FormatUint(uint64(f.ClockRate), 10)
	switch {
	case f.Codec == media.Opus:
		return text + "/2"
	case f.Channels > 1:
		return text + "/" + strconv.Itoa(int(f.Channels))
	}
	return text
}

// fmtp writes the value of a=fmtp without the payload type; empty: no line.
func (p payload) fmtp() string {
	switch p.Codec {
	case media.H264:
		return writeH264(p.H264)
	case media.H263, media.H263Plus, media.H2632000, media.H261:
		return writeH263(p.H263)
	case media.Opus:
		return writeOpus(p.Opus)
	case media.TelephoneEvent:
		return p.events.String()
	case media.G7221:
		if p.Bitrate > 0 {
			return "bitrate=" + strconv.Itoa(p.Bitrate)
		}
	case media.G729:
		return "annexb=no" // we do not pause (RFC 4856, RFC 7261)
	}
	return ""
}
