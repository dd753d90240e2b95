package control

import (
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media"
)

// capabilities are formats with what stands for them, read and written.
var capabilities = []struct {
	name  string
	entry entry
	data  h245.DataType
}{
	{
		name:  "G.711 A-law, 20 ms",
		entry: entry{role: media.Audio, format: media.Format{Codec: media.PCMA, ClockRate: 8000, Ptime: 20 * time.Millisecond}},
		data:  h245.DataType{AudioData: &h245.AudioCapability{G711Alaw64k: ptr(uint16(20))}},
	},
	{
		name:  "G.711 mu-law, 10 ms",
		entry: entry{role: media.Audio, format: media.Format{Codec: media.PCMU, ClockRate: 8000, Ptime: 10 * time.Millisecond}},
		data:  h245.DataType{AudioData: &h245.AudioCapability{G711Ulaw64k: ptr(uint16(10))}},
	},
	{
		name:  "G.722",
		entry: entry{role: media.Audio, format: media.Format{Codec: media.G722, ClockRate: 8000, Ptime: 20 * time.Millisecond}},
		data:  h245.DataType{AudioData: &h245.AudioCapability{G72264k: ptr(uint16(20))}},
	},
	{
		name:  "G.722.1 at 24 kbit/s",
		entry: entry{role: media.Audio, format: media.Format{Codec: media.G7221, ClockRate: 16000, Bitrate: 24000, Ptime: g7221Frame}},
		data:  genericAudio(oidG7221, 24000, unsignedMin(1, 1)),
	},
	{
		name:  "G.722.1 Annex C at 48 kbit/s",
		entry: entry{role: media.Audio, format: media.Format{Codec: media.G7221, ClockRate: 32000, Bitrate: 48000, Ptime: g7221Frame}},
		data:  genericAudio(oidG7221C, 480, unsignedMin(1, 1)),
	},
	{
		name:  "Opus",
		entry: entry{role: media.Audio, format: media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2, Ptime: 20 * time.Millisecond}},
		data:  genericAudio(oidOpus, 640),
	},
	{
		name:  "H.264 Constrained Baseline, level 3.1",
		entry: entry{role: media.Main, bps: 2_000_000, format: h264Of(media.H264Format{ProfileLevelID: 0x42e01f})},
		data:  genericVideo(20000, booleanArray(41, 64), unsignedMin(42, 71)),
	},
	{
		name: "H.264 High, level 4, custom limits",
		entry: entry{role: media.Main, bps: 4_000_000, format: h264Of(media.H264Format{
			ProfileLevelID: 0x640028, MaxMBPS: 490000, MaxFS: 8192, MaxDPB: 32768, MaxBR: 25000, MaxSMBPS: 245000, MaxFPS: 6000})},
		data: genericVideo(40000, booleanArray(41, 8), unsignedMin(42, 85), unsignedMin(3, 980), unsignedMin(4, 32),
			unsignedMin(5, 1024), unsignedMin(6, 1000), unsignedMin(7, 490), unsignedMin(13, 6000)),
	},
	{
		name:  "H.264 Baseline, level 1b",
		entry: entry{role: media.Main, bps: 128_000, format: h264Of(media.H264Format{ProfileLevelID: 0x42f00b})},
		data:  genericVideo(1280, booleanArray(41, 64), unsignedMin(42, 19)),
	},
	{
		name:  "H.239 content",
		entry: entry{role: media.Content, bps: 512_000, format: h264Of(media.H264Format{ProfileLevelID: 0x42e01f})},
		data: h245.DataType{VideoData: extendedVideo(
			genericVideo(5120, booleanArray(41, 64), unsignedMin(42, 71)).VideoData)},
	},
	{
		name: "H.263 with annexes",
		entry: entry{role: media.Main, bps: 384_000, format: media.Format{Codec: media.H263, ClockRate: 90000,
			H263: media.H263Format{QCIF: 1, CIF: 2, CIF4: 6, AnnexD: true, AnnexF: true, AnnexJ: true}}},
		data: h245.DataType{VideoData: &h245.VideoCapability{H263VideoCapability: &h245.H263VideoCapability{
			QCIFMPI: ptr(uint8(1)), CIFMPI: ptr(uint8(2)), CIF4MPI: ptr(uint8(6)), MaxBitRate: 3840,
			UnrestrictedVector: true, AdvancedPrediction: true, ErrorCompensation: ptr(false),
			H263Options: &h245.H263Options{DeblockingFilterMode: true},
		}}},
	},
	{
		name: "H.261",
		entry: entry{role: media.Main, bps: 384_000, format: media.Format{Codec: media.H261, ClockRate: 90000,
			H263: media.H263Format{QCIF: 1, CIF: 1}}},
		data: h245.DataType{VideoData: &h245.VideoCapability{H261VideoCapability: &h245.H261VideoCapability{
			QCIFMPI: ptr(uint8(1)), CIFMPI: ptr(uint8(1)), MaxBitRate: 3840, VideoBadMBsCap: ptr(false),
		}}},
	},
}

func h264Of(h media.H264Format) media.Format {
	return media.Format{Codec: media.H264, ClockRate: 90000, H264: h}
}

func genericAudio(id per.OID, rate uint32, parameters ...h245.GenericParameter) h245.DataType {
	return h245.DataType{AudioData: &h245.AudioCapability{GenericAudioCapability: &h245.GenericCapability{
		CapabilityIdentifier: standard(id), MaxBitRate: &rate, Collapsing: parameters,
	}}}
}

func genericVideo(rate uint32, parameters ...h245.GenericParameter) h245.DataType {
	return h245.DataType{VideoData: &h245.VideoCapability{GenericVideoCapability: &h245.GenericCapability{
		CapabilityIdentifier: standard(oidH264), MaxBitRate: &rate, Collapsing: parameters,
	}}}
}

func TestCapabilities(t *testing.T) {
	for _, c := range capabilities {
		t.Run(c.name, func(t *testing.T) {
			written, ok := dataType(c.entry)
			if !ok || !same(t, &written, &c.data) {
				t.Errorf("written as %+v", written)
			}
			read := readDataType(&c.data)
			if len(read) != 1 || read[0] != c.entry {
				t.Errorf("read as %+v\nwant %+v", read, c.entry)
			}
		})
	}
}

// same compares by encoding.
func same(t *testing.T, a, b *h245.DataType) bool {
	t.Helper()
	x, err := per.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := per.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}

func TestNoCapability(t *testing.T) {
	for _, f := range []media.Format{
		{Codec: media.VP8, ClockRate: 90000}, {Codec: media.ComfortNoise, ClockRate: 8000},
		{Codec: media.G7221, ClockRate: 16000, Bitrate: 48000}, {Codec: media.TelephoneEvent, ClockRate: 8000},
	} {
		for role := range media.Content + 1 {
			if d, ok := dataType(entry{role: role, format: f}); ok {
				t.Errorf("%s as %s: %+v", f, role, d)
			}
		}
	}
	for name, d := range map[string]h245.DataType{
		"G.722.1 at 16 kbit/s":   genericAudio(oidG7221, 16000),
		"G.722.1 without a rate": {AudioData: &h245.AudioCapability{GenericAudioCapability: &h245.GenericCapability{CapabilityIdentifier: standard(oidG7221)}}},
		"an unknown codec":       genericAudio("0.0.8.245.1.1.1", 122),
		"G.728":                  {AudioData: &h245.AudioCapability{G728: ptr(uint16(20))}},
		"nothing":                {NullData: true},
		"data":                   {Data: &h245.DataApplicationCapability{}},
	} {
		if list := readDataType(&d); len(list) != 0 {
			t.Errorf("%s: %+v", name, list)
		}
	}
}

// TestProfiles reads a capability that stands for several profiles.
func TestProfiles(t *testing.T) {
	d := genericVideo(0, booleanArray(41, 64|8), unsignedMin(42, 64))
	list := readDataType(&d)
	if len(list) != 2 || list[0].format.H264.ProfileLevelID != 0x42e01e || list[1].format.H264.ProfileLevelID != 0x64001e {
		t.Errorf("%+v", list)
	}
	d = genericVideo(0, unsignedMin(42, 200)) // no profile, a level beyond the table
	if list = readDataType(&d); len(list) != 1 || list[0].format.H264.ProfileLevelID != 0x42e034 {
		t.Errorf("%+v", list)
	}
}

func TestLevels(t *testing.T) {
	for _, l := range levels {
		for _, p := range profiles {
			id := levelID(p.profileIDC, p.profileIOP, l.value)
			if got := levelValue(id); uint32(got) != l.value {
				t.Errorf("level %d of %02x: %06x is %d", l.value, p.profileIDC, id, got)
			}
		}
	}
}

func TestDecodes(t *testing.T) {
	const baseline, main, high = 0x42e01f, 0x4d001f, 0x64001f
	for _, c := range []struct {
		receiver, stream uint32
		want             bool
	}{
		{baseline, baseline, true}, {main, baseline, true}, {high, baseline, true},
		{baseline, main, false}, {main, main, true}, {high, main, true},
		{baseline, high, false}, {main, high, false}, {high, high, true},
	} {
		if got := decodes(c.receiver, c.stream); got != c.want {
			t.Errorf("%06x of %06x: %v", c.receiver, c.stream, got)
		}
	}
}

// TestRateOfLevel: where no bound is set, that of the level is told.
func TestRateOfLevel(t *testing.T) {
	d, _ := dataType(entry{role: media.Main, format: h264Of(media.H264Format{ProfileLevelID: 0x42e01f})})
	if got := *d.VideoData.GenericVideoCapability.MaxBitRate; got != 140_000 {
		t.Errorf("%d", got)
	}
}

// TestAnnounce: formats that differ by packetization only are one entry.
func TestAnnounce(t *testing.T) {
	can := everything()
	one := can.Video[0]
	one.H264.PacketizationMode = 0
	can.Video = append(can.Video, one, format(media.VP8))
	list := announce(can)
	if len(list) != 6 {
		t.Fatalf("%+v", list)
	}
	for i, e := range list {
		if e.number != uint16(i+1) {
			t.Errorf("entry %d has number %d", i, e.number)
		}
	}
	if modes := packetizations(can); len(modes) != 2 || *modes[0].PayloadDescriptor.OID != oidH264NonInterleaved ||
		*modes[1].PayloadDescriptor.OID != oidH264Single || *modes[0].PayloadType != 97 {
		t.Errorf("packetizations: %+v", modes)
	}
}
