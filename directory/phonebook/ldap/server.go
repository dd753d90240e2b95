// Package ldap serves the phone book by LDAP (RFC 4511), to be read: bind, search with
// filters and pages, StartTLS. What would change something is refused.
package ldap

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/directory/phonebook"
)

// Config is what a Server needs. Book, Base and Log are required.
type Config struct {
	Book *phonebook.Book
	Base string      // such as dc=roomgate
	TLS  *tls.Config // nil: no StartTLS
	// NeedTLS reports whether passwords are taken over TLS alone; nil: they are.
	NeedTLS func() bool
	Log     *zap.Logger
	Now     func() time.Time // of the time limit of searches; nil: time.Now
}

// Bounds of a server.
const (
	mostConnections = 200
	mostOfOne       = 20                     // connections of one address
	mostSearches    = 2                      // at the same time
	mostTime        = 5 * time.Second        // of one search; a client may ask for less
	mostWait        = 5 * time.Second        // for others to be done with theirs
	acceptPause     = 100 * time.Millisecond // when no connection can be taken
	idle            = 5 * time.Minute
	writeTime       = 10 * time.Second
	wrongPause      = time.Second // after a wrong password
	mostWrong       = 5           // of one address in wrongPeriod; then it is not heard
	wrongPeriod     = time.Minute
)

// Server serves. Safe for concurrent use.
type Server struct {
	Config
	searches chan struct{}

	mu    sync.Mutex
	open  map[net.Conn]netip.Addr
	wrong map[netip.Addr]*strikes
	wait  sync.WaitGroup
}

type strikes struct {
	count int
	since time.Time
}

// New makes a Server.
func New(c Config) *Server {
	if c.NeedTLS == nil {
		c.NeedTLS = func() bool { return true }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Server{Config: c, searches: make(chan struct{}, mostSearches), open: map[net.Conn]netip.Addr{}, wrong: map[netip.Addr]*strikes{}}
}

// Serve takes connections until ctx ends, and waits for those there are. The listener is
// closed. Over encrypted listeners it speaks TLS from the beginning (ldaps).
func (s *Server) Serve(ctx context.Context, l net.Listener, encrypted bool) error {
	stop := context.AfterFunc(ctx, func() {
		_ = l.Close()
		s.closeAll()
	})
	defer stop()
	defer s.wait.Wait()
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil { // too many open files, or a client that is gone already: it passes
			s.Log.Warn("a connection cannot be taken", zap.Error(err))
			select {
			case <-ctx.Done():
			case <-time.After(acceptPause):
			}
			continue
		}
		if encrypted {
			conn = tls.Server(conn, s.TLS)
		}
		if !s.admit(conn) {
			_ = conn.Close()
			continue
		}
		if ctx.Err() != nil { // closeAll may have been before it was admitted
			_ = conn.Close()
		}
		go s.serve(&session{s: s, conn: conn, encrypted: encrypted, from: addressOf(conn)})
	}
}

func addressOf(c net.Conn) netip.Addr {
	a, _ := netip.ParseAddrPort(c.RemoteAddr().String())
	return a.Addr().Unmap()
}

// admit counts a connection, or refuses it.
func (s *Server) admit(c net.Conn) bool {
	from, same := addressOf(c), 0
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.open {
		if a == from {
			same++
		}
	}
	if len(s.open) >= mostConnections || same >= mostOfOne {
		return false
	}
	s.open[c] = from
	s.wait.Add(1)
	return true
}

func (s *Server) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.Close()
	}
}

// barred reports an address that has given too many wrong passwords; wrong counts one.
func (s *Server) barred(from netip.Addr, wrong bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for a, k := range s.wrong {
		if now.Sub(k.since) > wrongPeriod {
			delete(s.wrong, a)
		}
	}
	k := s.wrong[from]
	if wrong {
		if k == nil {
			k = &strikes{since: now}
			s.wrong[from] = k
		}
		k.count++
	}
	return k != nil && k.count >= mostWrong
}

// session is one connection.
type session struct {
	s         *Server
	conn      net.Conn
	encrypted bool
	from      netip.Addr
	reader    phonebook.Reader
	reads     bool // it may read
}

var errUnbind = errors.New("the client has said goodbye")

func (s *Server) serve(c *session) {
	defer s.wait.Done()
	c.reader, c.reads = s.Book.Anonymous(c.from)
	plain := c.conn
	in := bufio.NewReader(c.conn)
	for {
		_ = c.conn.SetReadDeadline(time.Now().Add(idle))
		octets, err := readMessage(in)
		var r request
		if err == nil {
			r, err = parse(octets)
		}
		if err == nil {
			err = c.handle(r, &in)
		}
		if errors.Is(err, errForm) || errors.Is(err, errTooLong) { // RFC 4511 §4.1.1
			notice := result(extendedResponse, protocolError, err.Error())
			notice.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 10, disconnected, ""))
			_ = c.send(message(0, notice))
		}
		if err != nil {
			break
		}
	}
	_ = plain.Close()
	s.mu.Lock()
	delete(s.open, plain)
	s.mu.Unlock()
}

func (c *session) send(p *ber.Packet) error {
	return c.write(p.Bytes())
}

func (c *session) write(octets []byte) error {
	_ = c.conn.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := c.conn.Write(octets)
	return err
}

// handle answers one request.
func (c *session) handle(r request, in **bufio.Reader) error {
	switch r.op.Tag {
	case bindRequest:
		return c.bind(r)
	case unbindRequest:
		return errUnbind
	case searchRequest:
		return c.search(r)
	case abandonRequest: // requests are answered one after the other: it is done already
		return nil
	case extendedRequest:
		return c.extended(r, in)
	}
	if tag, ok := answers[r.op.Tag]; ok {
		return c.send(message(r.id, result(tag, unwilling, "the phone book is to be read")))
	}
	return errForm
}

func (c *session) bind(r request) error {
	answer := func(code int64, why string) error { return c.send(message(r.id, result(bindResponse, code, why))) }
	if len(r.op.Children) < 3 {
		return answer(protocolError, "a bind has three parts")
	}
	c.reader, c.reads = c.s.Book.Anonymous(c.from) // RFC 4511 §4.2.1: whatever was before
	version, ok := number(r.op.Children[0])
	name, proof := text(r.op.Children[1]), r.op.Children[2]
	switch {
	case !ok || version != 3:
		return answer(protocolError, "the version is 3")
	case proof.Tag != 0:
		return answer(authMethodUnsupported, "simple alone")
	case name == "" && text(proof) == "":
		return answer(success, "")
	case text(proof) == "": // RFC 4513 §5.1.2
		return answer(unwilling, "a name without a password")
	case !c.encrypted && c.s.NeedTLS():
		return answer(confidentialityNeeded, "passwords are taken over TLS alone")
	case c.s.barred(c.from, false):
		return answer(unwilling, "too many wrong passwords from this address")
	}
	who, ok := c.s.Book.Login(userOf(name), text(proof))
	if !ok {
		c.s.Log.Warn("wrong password for the phone book", zap.Stringer("from", c.from))
		c.s.barred(c.from, true)
		time.Sleep(wrongPause)
		return answer(invalidCredentials, "")
	}
	c.reader, c.reads = who, true
	return answer(success, "")
}

// userOf is the user name in what is bound with: a distinguished name's first value, or
// the name itself.
func userOf(name string) string {
	rdn, _, _ := strings.Cut(name, ",")
	if _, value, ok := strings.Cut(rdn, "="); ok {
		return strings.TrimSpace(value)
	}
	return name
}

func (c *session) search(r request) error {
	done := func(code int64, why string) error { return c.send(message(r.id, result(searchDone, code, why))) }
	q, code, why := readSearch(r)
	if code != success {
		return done(code, why)
	}
	if q.base == "" && q.scope == scopeBase { // for everybody (RFC 4512 §5.1)
		if root := c.s.rootDSE(); q.filter.matches(root) {
			if err := c.send(message(r.id, q.packet(root))); err != nil {
				return err
			}
		}
		return done(success, "")
	}
	if !c.reads {
		return done(insufficientRights, "bind with the user name and password of an endpoint")
	}
	if q.base == "" {
		q.base = folded(c.s.Base)
	}
	most := q.most
	if q.page > 0 {
		most = min(most, q.page)
	}
	var out bytes.Buffer // written when others may search: a client may be slow to read
	found := 0
	wait := time.NewTimer(mostWait)
	defer wait.Stop()
	select {
	case c.s.searches <- struct{}{}:
	case <-wait.C:
		return done(busy, "others search; try again")
	}
	q.until = c.s.Now().Add(q.time)
	cookie, code := c.s.walk(c.reader, q, func(e *entry) bool {
		if found == most {
			return false
		}
		found++
		out.Write(message(r.id, q.packet(e)).Bytes())
		return true
	})
	<-c.s.searches
	if code == success && cookie != "" && (q.page == 0 || most < q.page) {
		code = sizeLimitExceeded
	}
	end := message(r.id, result(searchDone, code, ""))
	if q.page > 0 && code == success {
		end.AppendChild(pageControl(cookie))
	}
	out.Write(end.Bytes())
	return c.write(out.Bytes())
}

// pageControl tells how to go on (RFC 2696 §2).
func pageControl(cookie string) *ber.Packet {
	value := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 0, ""))
	value.AppendChild(octets(cookie))
	control := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	control.AppendChild(octets(pagedResults))
	control.AppendChild(octets(string(value.Bytes())))
	list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	list.AppendChild(control)
	return list
}

// extended begins TLS (RFC 4511 §4.14); there is no other extension.
func (c *session) extended(r request, in **bufio.Reader) error {
	name := ""
	if len(r.op.Children) > 0 {
		name = text(r.op.Children[0])
	}
	switch {
	case name != startTLS:
		return c.send(message(r.id, result(extendedResponse, protocolError, "no such extension")))
	case c.s.TLS == nil || c.encrypted:
		return c.send(message(r.id, result(extendedResponse, operationsError, "TLS cannot be begun now")))
	case (*in).Buffered() > 0: // sent in the clear before the answer
		return c.send(message(r.id, result(extendedResponse, operationsError, "requests wait behind this one")))
	}
	done := result(extendedResponse, success, "")
	done.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 10, startTLS, ""))
	if err := c.send(message(r.id, done)); err != nil {
		return err
	}
	encrypted := tls.Server(c.conn, c.s.TLS)
	if err := encrypted.Handshake(); err != nil {
		return err
	}
	c.conn, c.encrypted = encrypted, true
	c.reader, c.reads = c.s.Book.Anonymous(c.from)
	*in = bufio.NewReader(encrypted)
	return nil
}
