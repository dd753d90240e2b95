package terminal

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip"
)

// line is the terminal's end of the signalling: an endpoint of its own.
type line struct {
	endpoint call.Endpoint
	address  string        // sip:user@host:port, h323:user@host:port
	incoming chan call.Leg // the first call; others are busy
	cancel   context.CancelFunc
	wg       sync.WaitGroup
	err      error // of Serve
}

// openLine binds an endpoint of the protocol and serves it.
func (p *prepared) openLine(ctx context.Context) (*line, error) {
	if p.Protocol == "h323" {
		return p.openH323(ctx)
	}
	return p.openSIP(ctx)
}

// bindAddress is where to listen: as asked for, or on all addresses of the family
// that is called.
func (p *prepared) bindAddress() string {
	host := p.bindHost
	if host == "" {
		host = "0.0.0.0"
		if strings.Contains(p.Call+p.account.host, "[") { // an IPv6 literal
			host = "::"
		}
	}
	return net.JoinHostPort(host, p.bindPort)
}

func (p *prepared) openSIP(ctx context.Context) (*line, error) {
	cfg := sip.Config{
		Listen: []sip.Listener{{Transport: p.Transport, Address: p.bindAddress()}},
		Direct: true, Ports: p.Ports, Encryption: sip.Encryption(p.Encryption), Latching: sip.LatchOff,
		Floor:  sip.FloorConfig{Transport: p.FloorTransport, ClientOnly: !p.FloorServer, Name: p.Name},
		Camera: p.abilities(), UserAgent: vendors[p.Vendor].userAgent, Log: p.Logger.Named("sip"),
		Impair: p.impair(),
	}
	if local, err := netip.ParseAddr(p.bindHost); err == nil {
		cfg.Network = func(netip.Addr) sip.Network { return sip.Network{Local: local} }
	}
	if p.Transport == "tls" {
		certificate, err := selfSigned()
		if err != nil {
			return nil, fmt.Errorf("certificate of the terminal: %w", err)
		}
		cfg.Certificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate, nil }
		cfg.DialTLS = &tls.Config{InsecureSkipVerify: !p.TLSVerify, MinVersion: tls.VersionTLS12} // #nosec G402: a test tool's choice
	}
	endpoint, err := sip.New(cfg)
	if err != nil {
		return nil, err
	}
	at := endpoint.Addresses()[0]
	address := fmt.Sprintf("sip:%s@%s", p.User, at.AddrPort)
	if p.Transport != "udp" {
		address += ";transport=" + p.Transport
	}
	return serve(ctx, endpoint, address), nil
}

// serve runs endpoint until close.
func serve(ctx context.Context, endpoint call.Endpoint, address string) *line {
	l := &line{endpoint: endpoint, address: address, incoming: make(chan call.Leg, 1)}
	// The line outlives ctx, so that the call can be ended properly.
	ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	l.wg.Go(func() { l.err = endpoint.Serve(ctx, l.answer) })
	return l
}

func (l *line) answer(leg call.Leg) {
	select {
	case l.incoming <- leg:
	default:
		_ = leg.Hangup(call.Cause{Code: call.UserBusy})
	}
}

func (l *line) close() error {
	l.cancel()
	l.wg.Wait()
	return l.err
}

// registrant is an endpoint that registers with a far registrar. The terminal
// is then reached over the same flow.
type registrant interface {
	Register(ctx context.Context, registrar, user, password string) (unregister func(), err error)
}

var errNoRegistration = errors.New("this protocol stack does not register")

func (l *line) register(ctx context.Context, p *prepared) error {
	r, ok := l.endpoint.(registrant)
	if !ok {
		return errNoRegistration
	}
	unregister, err := r.Register(ctx, p.uri(p.account.host), p.account.user, p.account.password)
	if err != nil {
		return fmt.Errorf("registration: %w", err)
	}
	stop := l.cancel
	l.cancel = func() {
		unregister()
		stop()
	}
	return nil
}

// uri completes an address to a URI of the protocol, with the transport wanted.
func (p *prepared) uri(address string) string {
	if p.Protocol == "h323" {
		if !strings.HasPrefix(address, "h323:") {
			address = "h323:" + address
		}
		return address
	}
	if !strings.HasPrefix(address, "sip:") && !strings.HasPrefix(address, "sips:") {
		address = "sip:" + address
	}
	if p.Transport != "udp" && !strings.Contains(address, ";transport=") {
		address += ";transport=" + p.Transport
	}
	return address
}

// target is what the options ask to call.
func (p *prepared) target() call.Target {
	return call.Target{
		Address: p.uri(p.Call), From: p.User, FromName: p.Name,
		Username: p.account.user, Password: p.account.password,
		Can: p.capabilities(), Encryption: p.Encryption,
	}
}
