package livekit

import (
	"bytes"
	"compress/flate"
	"io"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v3"
	"google.golang.org/protobuf/proto"
)

// ChatLine is something that a participant wrote to all.
type ChatLine struct {
	ID       string // of the message, unique in the room
	Identity string // of who wrote it
	Text     string
}

// chatTopic is that of the text streams which LiveKit's clients chat with.
const chatTopic = "lk.chat"

// Bounds of what strangers may make us keep.
const (
	longestLine = 2048 // bytes of a text
	mostTexts   = 32   // that have begun and not ended
)

// chat puts together what is written in a room. Texts come as data streams: in one packet,
// the header, or in chunks between header and trailer, either way deflated perhaps; older
// clients send a ChatMessage.
type chat struct {
	mu    sync.Mutex
	begun []*text // the oldest first
}

// text is one whose end has not come.
type text struct {
	id, from string
	deflated bool
	next     uint64 // the chunk that is awaited
	body     []byte
}

// listenTo takes the data channel on which the SFU sends what gets there and in order.
func (r *reception) listenTo(pc *webrtc.PeerConnection) {
	pc.OnDataChannel(func(channel *webrtc.DataChannel) {
		if channel.Label() != "_reliable" {
			return
		}
		channel.OnMessage(func(m webrtc.DataChannelMessage) {
			var p livekit.DataPacket
			if proto.Unmarshal(m.Data, &p) != nil {
				return
			}
			if line, ok := r.chat.take(&p); ok && !r.isPaused() {
				r.link.events.send(Event{Kind: Chat, Chat: line})
			}
		})
	})
}

func (r *reception) isPaused() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.paused
}

// take gives a line when a packet ends one that was written to all.
func (c *chat) take(p *livekit.DataPacket) (ChatLine, bool) {
	from := p.GetParticipantIdentity()
	if from == "" || len(p.GetDestinationIdentities()) > 0 {
		return ChatLine{}, false // of somebody hidden, or to a few
	}
	switch v := p.GetValue().(type) {
	case *livekit.DataPacket_ChatMessage:
		m := v.ChatMessage
		return line(m.GetId(), from, []byte(m.GetMessage())), m.GetMessage() != "" && !m.GetDeleted() && m.EditTimestamp == nil && len(m.GetMessage()) <= longestLine
	case *livekit.DataPacket_StreamHeader:
		return c.begin(from, v.StreamHeader)
	case *livekit.DataPacket_StreamChunk:
		c.add(from, v.StreamChunk)
	case *livekit.DataPacket_StreamTrailer:
		return c.end(from, v.StreamTrailer)
	}
	return ChatLine{}, false
}

func line(id, from string, body []byte) ChatLine {
	return ChatLine{ID: id, Identity: from, Text: string(bytes.ToValidUTF8(body, []byte(string(utf8.RuneError))))}
}

// begin takes the header of a stream, and all of a text that it brings along.
func (c *chat) begin(from string, h *livekit.DataStream_Header) (ChatLine, bool) {
	th := h.GetTextHeader()
	if h.GetTopic() != chatTopic || th == nil || th.GetOperationType() != livekit.DataStream_CREATE {
		return ChatLine{}, false
	}
	t := &text{id: h.GetStreamId(), from: from, deflated: h.GetCompression() == livekit.DataStream_DEFLATE_RAW}
	if h.InlineContent != nil {
		t.body = h.InlineContent
		return t.line()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.begun) == mostTexts {
		c.begun = slices.Delete(c.begun, 0, 1)
	}
	c.begun = append(c.begun, t)
	return ChatLine{}, false
}

// find is the place of a text among those that have begun; the lock is held.
func (c *chat) find(from, id string) int {
	return slices.IndexFunc(c.begun, func(t *text) bool { return t.id == id && t.from == from })
}

// add takes a chunk. A text that is too long, or lacks a part, is given up.
func (c *chat) add(from string, chunk *livekit.DataStream_Chunk) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.find(from, chunk.GetStreamId())
	if i < 0 {
		return
	}
	t := c.begun[i]
	if chunk.GetChunkIndex() != t.next || len(t.body)+len(chunk.GetContent()) > longestLine {
		c.begun = slices.Delete(c.begun, i, i+1)
		return
	}
	t.next++
	t.body = append(t.body, chunk.GetContent()...)
}

func (c *chat) end(from string, trailer *livekit.DataStream_Trailer) (ChatLine, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.find(from, trailer.GetStreamId())
	if i < 0 {
		return ChatLine{}, false
	}
	t := c.begun[i]
	c.begun = slices.Delete(c.begun, i, i+1)
	if trailer.GetReason() != "" {
		return ChatLine{}, false // it was broken off
	}
	return t.line()
}

// line is the text as it reads, if it can be read.
func (t *text) line() (ChatLine, bool) {
	body := t.body
	if t.deflated {
		var err error
		// One byte more tells what is too long; what a few bytes could become is not made.
		if body, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(t.body)), longestLine+1)); err != nil {
			return ChatLine{}, false
		}
	}
	return line(t.id, t.from, body), len(body) > 0 && len(body) <= longestLine
}
