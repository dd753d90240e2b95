package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/config/certificate"
	"github.com/roomgate/roomgate/h323/ras/socket"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode"
)

// verdict is the outcome of one check.
type verdict string

const (
	good    verdict = "ok"
	warning verdict = "warning"
	bad     verdict = "FAILED"
)

// finding is one line of the table.
type finding struct {
	what    string
	verdict verdict
	detail  string
}

// expiresSoon is when a configured certificate becomes a warning.
const expiresSoon = 14 * 24 * time.Hour

var errCheck = errors.New("the gateway cannot start like this")

func checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check configuration, ports, codecs, certificates and the meeting server",
		Long:  "Check what the gateway needs before it starts. While it runs its ports are taken, and the check says so.",
		Args:  cobra.NoArgs,
	}
	file := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		findings := check(cmd.Context(), *file)
		if err := table(cmd.OutOrStdout(), findings); err != nil {
			return err
		}
		for _, f := range findings {
			if f.verdict == bad {
				return errCheck
			}
		}
		return nil
	}
	return cmd
}

func table(out io.Writer, findings []finding) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, f := range findings {
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.what, f.verdict, f.detail)
	}
	return t.Flush()
}

// check looks at everything; later checks need a configuration that is valid.
func check(ctx context.Context, file string) []finding {
	c, err := config.Load(file)
	var problems config.Problems
	if errors.As(err, &problems) {
		var list []finding
		for _, p := range problems {
			list = append(list, finding{"configuration", bad, p.String()})
		}
		return list
	}
	if err != nil {
		return []finding{{"configuration", bad, err.Error()}}
	}
	list := []finding{{"configuration", good, nameOf(file)}}
	for _, w := range c.Warnings {
		list = append(list, finding{"configuration", warning, w})
	}
	list = append(list, checkPorts(c)...)
	list = append(list, checkCodecs()...)
	list = append(list, checkVideo(c))
	list = append(list, checkCertificates(c)...)
	list = append(list, checkDatabase(ctx, c), checkSecretKey(c), checkSFU(ctx, c))
	return append(list, checkTrunks(ctx, c)...)
}

func nameOf(file string) string {
	if file == "" {
		return "defaults and environment"
	}
	return file
}

// checkPorts binds what serve would bind, and lets go.
func checkPorts(c *config.Config) []finding {
	var list []finding
	try := func(what, network, address string) {
		f := finding{what, good, network + " " + address}
		if err := bindable(network, address); err != nil {
			f.verdict, f.detail = bad, err.Error()
		}
		list = append(list, f)
	}
	all := func(what, network string, addresses config.Addresses) {
		for _, a := range addresses {
			try(what, network, a)
		}
	}
	all("sip.udp", "udp", c.SIP.UDP)
	all("sip.tcp", "tcp", c.SIP.TCP)
	all("sip.tls.listen", "tcp", c.SIP.TLS.Listen)
	all("sip.tls.legacy", "tcp", c.SIP.TLS.Legacy)
	all("h323.signalling", "tcp", c.H323.Signalling)
	if len(c.H323.Signalling) > 0 && c.H323.Gatekeeper.Mode != "off" {
		all("h323.ras", "udp", c.H323.RAS)
		if c.H323.Gatekeeper.Discovery && len(c.H323.RAS) > 0 {
			list = append(list, checkDiscovery())
		}
	}
	if port := c.H323.MediaPort; port != 0 && len(c.H323.Signalling) > 0 {
		try("h323.media_port", "udp", ":"+strconv.Itoa(port))
		try("h323.media_port", "udp", ":"+strconv.Itoa(port+1))
	}
	all("http.listen", "tcp", c.HTTP.Listen)
	all("http.tls.listen", "tcp", c.HTTP.TLS.Listen)
	if c.SFU.Embedded {
		try("sfu.ports", "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.SFU.Ports.Signalling)))
		if c.SFU.Ports.TCP != 0 {
			try("sfu.ports", "tcp", ":"+strconv.Itoa(c.SFU.Ports.TCP))
		}
		try("sfu.ports", "udp", ":"+strconv.Itoa(c.SFU.Ports.UDP))
	}
	return append(list, checkMediaPorts(c.RTP.Ports))
}

// checkDiscovery joins the group in which terminals search for a gatekeeper. Without it
// they have to be told where we are.
func checkDiscovery() finding {
	f := finding{"h323.gatekeeper.discovery", good, "udp " + socket.Group.String()}
	group, err := socket.Open(nil, true)
	if err == nil {
		err = errors.Join(append(group.Warnings, group.Close())...)
	}
	if err != nil {
		f.verdict, f.detail = warning, err.Error()
	}
	return f
}

func bindable(network, address string) error {
	if network == "udp" {
		conn, err := net.ListenPacket("udp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}

// checkMediaPorts counts the ports of the range that somebody else holds.
func checkMediaPorts(r config.PortRange) finding {
	taken, all := 0, int(r.High)-int(r.Low)+1
	for port := int(r.Low); port <= int(r.High); port++ {
		if bindable("udp", ":"+strconv.Itoa(port)) != nil {
			taken++
		}
	}
	f := finding{"rtp.ports", good, fmt.Sprintf("udp %s, %d free", r, all-taken)}
	switch {
	case taken == all:
		f.verdict = bad
	case taken*2 > all:
		f.verdict = warning
	}
	return f
}

// checkCodecs codes 20 ms of silence and takes it back.
func checkCodecs() []finding {
	var codecs transcode.Codecs
	var list []finding
	for _, format := range append(capabilities().Audio, audioFormats["g729"]...) {
		f := finding{"codec " + string(format.Codec), good, format.String()}
		if format.Bitrate > 0 {
			f.detail += fmt.Sprintf(" at %d kbit/s", format.Bitrate/1000)
		}
		if err := roundTrip(&codecs, format); err != nil {
			f.verdict, f.detail = bad, err.Error()
		}
		list = append(list, f)
	}
	return list
}

func roundTrip(codecs *transcode.Codecs, format media.Format) error {
	encoder, err := codecs.NewEncoder(format, 48000)
	if err != nil {
		return err
	}
	decoder, err := codecs.NewDecoder(format, 48000)
	if err != nil {
		return err
	}
	payload := make([]byte, 1500)
	n, err := encoder.Encode(payload, make([]int16, encoder.Rate()/50))
	if err != nil {
		return err
	}
	if n == 0 {
		return nil // silence need not be sent
	}
	_, err = decoder.Decode(make([]int16, decoder.Rate()*120/1000), payload[:n])
	return err
}

func checkCertificates(c *config.Config) []finding {
	var list []finding
	for _, pair := range []struct{ what, cert, key string }{
		{"sip.tls", c.SIP.TLS.Cert, c.SIP.TLS.Key},
		{"http.tls", c.HTTP.TLS.Cert, c.HTTP.TLS.Key},
	} {
		if pair.cert == "" {
			list = append(list, finding{pair.what, good, "self-signed, kept in " + c.DataDir})
			continue
		}
		now := time.Now()
		loaded, err := certificate.Load(pair.cert, pair.key, now)
		if err != nil {
			list = append(list, finding{pair.what, bad, err.Error()})
			continue
		}
		f := finding{pair.what, good, fmt.Sprintf("%s, valid until %s", pair.cert, loaded.Leaf.NotAfter.Format(time.DateOnly))}
		if loaded.Leaf.NotAfter.Sub(now) < expiresSoon {
			f.verdict = warning
		}
		list = append(list, f)
	}
	return list
}

func checkSFU(ctx context.Context, c *config.Config) finding {
	if c.SFU.Embedded {
		return finding{"sfu", good, "embedded, starts with serve"}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := healthy(ctx, c.SFU); err != nil {
		return finding{"sfu", bad, fmt.Sprintf("%s: %v", c.SFU.URL, err)}
	}
	return finding{"sfu", good, c.SFU.URL}
}
