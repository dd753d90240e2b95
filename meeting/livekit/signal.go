package livekit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// largestMessage bounds what is read from the SFU: a roster of thousands.
const largestMessage = 8 << 20

// writeTimeout bounds a write to the WebSocket.
const writeTimeout = 2 * time.Second

// writeBuffers are shared: a seat writes to its WebSocket for an instant only.
var writeBuffers sync.Pool

// signal is one WebSocket to the SFU. Frames are binary and hold one
// livekit.SignalRequest or livekit.SignalResponse each.
type signal struct {
	conn      *websocket.Conn
	deadAfter time.Duration
	// deaf skips, undecoded, what concerns others: a seat that does not
	// receive is still sent every roster change.
	deaf bool
	read []byte

	writing sync.Mutex
}

// dial joins: it returns when the SFU's first message, the Join, is here.
func (c *Client) dial(ctx context.Context, token string, receive bool) (*signal, *livekit.JoinResponse, error) {
	base, err := parseURL(c.config.URLFunc())
	if err != nil {
		return nil, nil, err
	}
	base.Scheme = webSocketScheme(base.Scheme)
	base.Path += "/rtc"
	base.RawQuery = url.Values{
		"access_token": {token}, "auto_subscribe": {"0"},
		// The server makes allowances for pion by this name; below version
		// 2.4.0 it keeps SCTP checksums, which pion v3 needs.
		"sdk": {"go"}, "version": {"0.0.1"}, "protocol": {"16"},
	}.Encode()
	dialer := websocket.Dialer{
		HandshakeTimeout: c.config.JoinTimeout, ReadBufferSize: 2048, WriteBufferSize: 2048, WriteBufferPool: &writeBuffers,
	}
	conn, resp, err := dialer.DialContext(ctx, base.String(), nil)
	if err != nil {
		if errors.Is(err, websocket.ErrBadHandshake) && resp != nil {
			text, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
			_ = resp.Body.Close()
			return nil, nil, &JoinError{Status: resp.StatusCode, Text: strings.TrimSpace(string(text))}
		}
		return nil, nil, fmt.Errorf("sfu: %w", redact(err))
	}
	g := &signal{conn: conn, deadAfter: c.config.DeadAfter, deaf: !receive}
	conn.SetReadLimit(largestMessage)
	conn.SetPongHandler(func(string) error { return g.alive() })
	first, err := g.firstMessage(ctx, c.config.JoinTimeout)
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return g, first, nil
}

// redact drops the address from a dial error: it holds the token.
func redact(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return withURL.Err
	}
	return err
}

func (g *signal) firstMessage(ctx context.Context, timeout time.Duration) (*livekit.JoinResponse, error) {
	stop := context.AfterFunc(ctx, func() { _ = g.conn.Close() })
	defer stop()
	_ = g.conn.SetReadDeadline(time.Now().Add(timeout))
	m, err := g.decode()
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("sfu: join: %w", err)
	}
	switch m := m.GetMessage().(type) {
	case *livekit.SignalResponse_Join:
		return m.Join, g.alive()
	case *livekit.SignalResponse_Leave:
		return nil, leaveError(m.Leave)
	}
	return nil, fmt.Errorf("sfu: join: unexpected first message %T", m.GetMessage())
}

// alive moves the time at which the silent SFU counts as dead.
func (g *signal) alive() error { return g.conn.SetReadDeadline(time.Now().Add(g.deadAfter)) }

// next is the next message that concerns us. One goroutine reads.
func (g *signal) next() (*livekit.SignalResponse, error) {
	for {
		m, err := g.decode()
		if err != nil {
			return nil, err
		}
		_ = g.alive()
		if m != nil {
			return m, nil
		}
	}
}

// decode reads one frame; nil means one to skip.
func (g *signal) decode() (*livekit.SignalResponse, error) {
	kind, r, err := g.conn.NextReader()
	if err != nil {
		return nil, err
	}
	g.read = g.read[:0]
	for {
		if len(g.read) == cap(g.read) {
			g.read = append(g.read, 0)[:len(g.read)]
		}
		n, err := r.Read(g.read[len(g.read):cap(g.read)])
		g.read = g.read[:len(g.read)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if kind != websocket.BinaryMessage || g.deaf && concernsOthers(g.read) {
		return nil, nil
	}
	m := &livekit.SignalResponse{}
	if err := proto.Unmarshal(g.read, m); err != nil {
		return nil, fmt.Errorf("sfu: message: %w", err)
	}
	if cap(g.read) > 1<<16 {
		g.read = nil
	}
	return m, nil
}

// concernsOthers reports, from its field number alone, that a message is a
// roster update (5), speakers (10), the room's state (11) or the quality of
// connections (12).
func concernsOthers(message []byte) bool {
	field, _, n := protowire.ConsumeTag(message)
	return n > 0 && (field == 5 || field >= 10 && field <= 12)
}

// send writes a request.
func (g *signal) send(request *livekit.SignalRequest) error {
	b, err := proto.Marshal(request)
	if err != nil {
		return fmt.Errorf("sfu: request: %w", err)
	}
	g.writing.Lock()
	defer g.writing.Unlock()
	_ = g.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err := g.conn.WriteMessage(websocket.BinaryMessage, b); err != nil {
		return fmt.Errorf("sfu: %w", err)
	}
	return nil
}

// ping asks for a pong.
func (g *signal) ping() {
	_ = g.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(50*time.Millisecond))
}

func (g *signal) close() { _ = g.conn.Close() }

// address is our end of the connection: the address that routes to the SFU.
func (g *signal) address() net.IP {
	if tcp, ok := g.conn.LocalAddr().(*net.TCPAddr); ok {
		return tcp.IP
	}
	return nil
}

// leaveError says a Leave as the reason it ends or interrupts a stay with.
func leaveError(m *livekit.LeaveRequest) error {
	switch m.GetReason() {
	case livekit.DisconnectReason_DUPLICATE_IDENTITY:
		return ErrReplaced
	case livekit.DisconnectReason_PARTICIPANT_REMOVED:
		return ErrRemoved
	case livekit.DisconnectReason_ROOM_DELETED, livekit.DisconnectReason_ROOM_CLOSED:
		return ErrRoomClosed
	}
	return fmt.Errorf("%w: %s", errBroken, strings.ToLower(m.GetReason().String()))
}
