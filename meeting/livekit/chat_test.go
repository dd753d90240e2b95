package livekit

import (
	"bytes"
	"compress/flate"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/livekit/protocol/livekit"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

func header(id string, change func(*livekit.DataStream_Header)) *livekit.DataPacket {
	h := &livekit.DataStream_Header{
		StreamId: id, Topic: "lk.chat", MimeType: "text/plain",
		ContentHeader: &livekit.DataStream_Header_TextHeader{TextHeader: &livekit.DataStream_TextHeader{}},
	}
	if change != nil {
		change(h)
	}
	return &livekit.DataPacket{ParticipantIdentity: "web-1", Value: &livekit.DataPacket_StreamHeader{StreamHeader: h}}
}

func chunk(id string, index uint64, content []byte) *livekit.DataPacket {
	return &livekit.DataPacket{ParticipantIdentity: "web-1", Value: &livekit.DataPacket_StreamChunk{
		StreamChunk: &livekit.DataStream_Chunk{StreamId: id, ChunkIndex: index, Content: content},
	}}
}

func trailer(id, reason string) *livekit.DataPacket {
	return &livekit.DataPacket{ParticipantIdentity: "web-1", Value: &livekit.DataPacket_StreamTrailer{
		StreamTrailer: &livekit.DataStream_Trailer{StreamId: id, Reason: reason},
	}}
}

func inline(content []byte, c livekit.DataStream_CompressionType) func(*livekit.DataStream_Header) {
	return func(h *livekit.DataStream_Header) { h.InlineContent, h.Compression = content, c }
}

func deflated(t *testing.T, text string) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	require.NoError(t, err)
	_, err = w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// What LiveKit's clients write comes out, in every way they send it; what is none of it, or
// too much, does not.
func TestChatLines(t *testing.T) {
	const text = "Xin chào các đồng chí"
	packed := deflated(t, text)
	private := header("s", inline([]byte(text), livekit.DataStream_NONE))
	private.DestinationIdentities = []string{"web-2"}
	hidden := header("s", inline([]byte(text), livekit.DataStream_NONE))
	hidden.ParticipantIdentity = ""
	message := func(m *livekit.ChatMessage) *livekit.DataPacket {
		return &livekit.DataPacket{ParticipantIdentity: "web-1", Value: &livekit.DataPacket_ChatMessage{ChatMessage: m}}
	}
	edited := int64(1)
	for _, tc := range []struct {
		name    string
		packets []*livekit.DataPacket
		want    string
	}{
		{"in chunks", []*livekit.DataPacket{header("s", nil), chunk("s", 0, []byte(text[:9])), chunk("s", 1, []byte(text[9:])), trailer("s", "")}, text},
		{"chunks deflated", []*livekit.DataPacket{header("s", func(h *livekit.DataStream_Header) { h.Compression = livekit.DataStream_DEFLATE_RAW }), chunk("s", 0, packed[:5]), chunk("s", 1, packed[5:]), trailer("s", "")}, text},
		{"in the header", []*livekit.DataPacket{header("s", inline([]byte(text), livekit.DataStream_NONE))}, text},
		{"deflated in the header", []*livekit.DataPacket{header("s", inline(packed, livekit.DataStream_DEFLATE_RAW))}, text},
		{"by older clients", []*livekit.DataPacket{message(&livekit.ChatMessage{Id: "s", Message: text})}, text},
		{"letters that are none", []*livekit.DataPacket{header("s", inline([]byte("a\xffb"), livekit.DataStream_NONE))}, "a\uFFFDb"},
		{"a change of one", []*livekit.DataPacket{message(&livekit.ChatMessage{Id: "s", Message: text, EditTimestamp: &edited})}, ""},
		{"to a few", []*livekit.DataPacket{private}, ""},
		{"of somebody hidden", []*livekit.DataPacket{hidden}, ""},
		{"another topic", []*livekit.DataPacket{header("s", func(h *livekit.DataStream_Header) {
			h.Topic, h.InlineContent = "lk.transcription", []byte(text)
		})}, ""},
		{"a file", []*livekit.DataPacket{header("s", func(h *livekit.DataStream_Header) {
			h.InlineContent, h.ContentHeader = []byte(text), &livekit.DataStream_Header_ByteHeader{}
		})}, ""},
		{"a part is missing", []*livekit.DataPacket{header("s", nil), chunk("s", 1, []byte(text)), trailer("s", "")}, ""},
		{"broken off", []*livekit.DataPacket{header("s", nil), chunk("s", 0, []byte(text)), trailer("s", "error")}, ""},
		{"too long", []*livekit.DataPacket{header("s", nil), chunk("s", 0, bytes.Repeat([]byte("a"), longestLine)), chunk("s", 1, []byte("a")), trailer("s", "")}, ""},
		{"a deflated bomb", []*livekit.DataPacket{header("s", inline(deflated(t, strings.Repeat("a", 1<<20)), livekit.DataStream_DEFLATE_RAW))}, ""},
		{"nothing deflated", []*livekit.DataPacket{header("s", inline([]byte("\xff\xff"), livekit.DataStream_DEFLATE_RAW))}, ""},
		{"empty", []*livekit.DataPacket{header("s", nil), trailer("s", "")}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var c chat
			for i, p := range tc.packets {
				got, ok := c.take(p)
				if i < len(tc.packets)-1 || tc.want == "" {
					require.False(t, ok, "%+v", got)
					continue
				}
				require.True(t, ok)
				require.Equal(t, ChatLine{ID: "s", Identity: "web-1", Text: tc.want}, got)
			}
			require.Empty(t, c.begun)
		})
	}
}

// Texts that never end are not kept for ever; another may not go on with somebody's.
func TestChatIsBounded(t *testing.T) {
	var c chat
	for i := range 100 {
		c.take(header(strings.Repeat("s", i+1), nil))
	}
	require.Len(t, c.begun, mostTexts)
	last := strings.Repeat("s", 100)
	other := chunk(last, 0, []byte("no"))
	other.ParticipantIdentity = "web-2"
	c.take(other)
	c.take(chunk(last, 0, []byte("yes")))
	got, ok := c.take(trailer(last, ""))
	require.True(t, ok)
	require.Equal(t, "yes", got.Text)
}

// FuzzChat takes packets of a participant who writes anything, each with a byte of its length
// before it: what is kept is bounded, and what comes out can be shown.
func FuzzChat(f *testing.F) {
	script := func(packets ...*livekit.DataPacket) (all []byte) {
		for _, p := range packets {
			data, err := proto.Marshal(p)
			require.NoError(f, err)
			all = append(append(all, byte(len(data))), data...)
		}
		return all
	}
	f.Add(script(header("a", nil), chunk("a", 0, []byte("xin ")), chunk("a", 1, []byte("chào")), trailer("a", "")))
	f.Add(script(header("d", inline([]byte("x\xff"), livekit.DataStream_NONE))))
	f.Add(script(header("b", inline([]byte{0xf3, 0x48, 0x05, 0x00}, livekit.DataStream_DEFLATE_RAW)), header("b", nil), header("b", nil)))
	f.Add(script(&livekit.DataPacket{ParticipantIdentity: "web-1", Value: &livekit.DataPacket_ChatMessage{ChatMessage: &livekit.ChatMessage{Id: "c", Message: "chào"}}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &chat{}
		for len(data) > 0 {
			n := min(int(data[0]), len(data)-1)
			var p livekit.DataPacket
			if proto.Unmarshal(data[1:1+n], &p) == nil {
				if l, ok := c.take(&p); ok {
					require.True(t, utf8.ValidString(l.Text))
					require.NotEmpty(t, l.Text)
					require.LessOrEqual(t, len(l.Text), 3*longestLine)
				}
			}
			data = data[1+n:]
			require.LessOrEqual(t, len(c.begun), mostTexts)
			for _, b := range c.begun {
				require.LessOrEqual(t, len(b.body), longestLine)
			}
		}
	})
}
