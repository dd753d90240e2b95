package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/config"
)

// greeting is what is printed at start: what to open and what to dial.
type greeting struct {
	config  *config.Config
	address string // of this host, as others reach it
	key     string // the API key, when it was just made
	selfie  bool   // the certificate is self-signed
}

func (g greeting) print(out io.Writer) {
	c := g.config
	line := func(label, format string, args ...any) {
		fmt.Fprintf(out, "  %-16s %s\n", label, fmt.Sprintf(format, args...))
	}
	alias := "MEETING"
	if c.Meetings.AutoCreate {
		alias = "demo"
	}
	fmt.Fprintf(out, "roomgate %s\n\n", version)
	if port, ok := firstPort(c.HTTP.Listen); ok {
		line("meeting page", "http://localhost:%s/m/%s", port, alias)
	}
	if port, ok := firstPort(c.HTTP.TLS.Listen); ok {
		note := ""
		if g.selfie {
			note = "   (self-signed certificate: the browser asks once)"
		}
		line("", "https://%s/m/%s%s", net.JoinHostPort(g.address, port), alias, note)
	}
	if len(c.SIP.UDP)+len(c.SIP.TCP) > 0 {
		line("dial by SIP", "sip:%s@%s", alias, sipHost(g.address, append(c.SIP.UDP, c.SIP.TCP...)))
	}
	if port, ok := firstPort(c.SIP.TLS.Listen); ok {
		line("", "sips:%s@%s", alias, hostPort(g.address, port, "5061"))
	}
	if port, ok := firstPort(c.H323.Signalling); ok {
		line("dial by H.323", "h323:%s@%s", alias, hostPort(g.address, port, "1720"))
	}
	line("no hardware", "bin/roomgate terminal --protocol sip --call %s@%s", alias, sipHost("127.0.0.1", c.SIP.UDP))
	if port, ok := firstPort(c.HTTP.Listen); ok {
		line("API", "http://localhost:%s/api/v1, described at /openapi.json", port)
	}
	if g.key != "" {
		line("API key", "%s   (shown this once; its hash is kept in %s)", g.key, c.DataDir)
	}
	fmt.Fprintln(out)
}

// firstPort is the port of the first address of a listener.
func firstPort(list config.Addresses) (string, bool) {
	for _, a := range list {
		if _, port, err := net.SplitHostPort(a); err == nil {
			return port, true
		}
	}
	return "", false
}

func sipHost(host string, list config.Addresses) string {
	port, ok := firstPort(list)
	if !ok {
		port = "5060"
	}
	return hostPort(host, port, "5060")
}

// dialIn is how terminals and phones reach meetings, as invitations tell it.
func (n *node) dialIn() api.DialIn {
	c := n.live.Current()
	in := api.DialIn{Phones: c.Meetings.PhoneNumbers}
	if plain := append(slices.Clone(c.SIP.UDP), c.SIP.TCP...); c.SIP.Domain != "" {
		in.SIP = c.SIP.Domain
	} else if len(plain) > 0 {
		in.SIP = sipHost(n.greeting.address, plain)
	}
	if port, ok := firstPort(c.H323.Signalling); ok {
		in.H323 = hostPort(n.greeting.address, port, "1720")
	}
	return in
}

// hostPort leaves a default port out.
func hostPort(host, port, usual string) string {
	if port != usual {
		return net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// hostAddress is where others reach this host: what the configuration says, or
// the address towards the default route. Nothing is sent.
func hostAddress(c *config.Config) string {
	for _, n := range c.Networks {
		if n.Address.IsValid() {
			return n.Address.String()
		}
	}
	if a := c.Listen.Address; a.IsValid() && !a.IsUnspecified() {
		return a.String()
	}
	conn, err := net.Dial("udp", "192.0.2.1:9")
	if err != nil {
		return "127.0.0.1"
	}
	defer conn.Close()
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return "127.0.0.1"
	}
	return local.Addr().String()
}
