package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/config/certificate"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/binding"
	"github.com/roomgate/roomgate/directory/cluster"
	"github.com/roomgate/roomgate/directory/code"
	"github.com/roomgate/roomgate/directory/ldapsync"
	"github.com/roomgate/roomgate/directory/lease"
	"github.com/roomgate/roomgate/directory/record"
	"github.com/roomgate/roomgate/directory/webhook"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/trunk"
	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/media/udp"
	"github.com/roomgate/roomgate/sip"
	"github.com/roomgate/roomgate/trace"
	"github.com/roomgate/roomgate/transcode"
	"github.com/roomgate/roomgate/transcode/video"
	"github.com/roomgate/roomgate/web"
)

// node is a running gateway, all of it.
type node struct {
	log       *zap.Logger
	level     zap.AtomicLevel
	live      *config.Live
	keys      api.Keys
	trace     *trace.Recorder
	sipTLS    certificate.Identity
	webTLS    certificate.Identity
	directory *directory.Directory
	tuning    sync.Mutex // settings that are being put into force
	records   *record.Log
	nodes     *cluster.Cluster
	leases    *lease.Keeper
	hooks     *webhook.Sender
	readers   *udp.Readers // of all media
	meeting   *meetingServer
	video     *video.Pool
	sip       *sip.Endpoint
	h323      *h323Stack // nil: not served
	guard     *trunk.Guard
	gateway   *gateway.Gateway
	metrics   *api.Metrics
	telemetry telemetry
	phoneBook phoneBook
	web       *webServer
	greeting  greeting
}

// newNode puts the parts together and binds every port. run has to follow.
func newNode(ctx context.Context, c *config.Config, file string, logs io.Writer) (n *node, err error) {
	n = &node{metrics: api.NewMetrics(), trace: trace.New(trace.Limits{}, nil)}
	n.log, n.level = newLogger(c.Log, logs)
	for _, w := range c.Warnings {
		n.log.Warn(w)
	}
	n.video = newVideo(c, n.log)
	n.live = config.NewLive(n.log.Named("config"), file, c, n.apply)
	n.live.Report = n.reloaded
	n.greeting = greeting{config: c, address: hostAddress(c)}
	if err := n.identify(c); err != nil {
		return nil, err
	}
	if n.directory, err = openDirectory(ctx, c, n.log); err != nil {
		return nil, err
	}
	if n.readers, err = udp.NewReaders(); err != nil {
		return nil, errors.Join(err, n.directory.DB.Close())
	}
	if n.meeting, err = startMeetingServer(ctx, c, n.readers, n.log); err != nil {
		return nil, errors.Join(err, n.readers.Close(), n.directory.DB.Close())
	}
	n.meeting.codecs = shownCodecs(n.video)
	n.meeting.simulcast = func() bool {
		return n.live.Current().Video.Simulcast != "off" && n.video.Available() == nil
	}
	if n.telemetry, err = newTelemetry(ctx, c.Telemetry, n.meeting.node, n.log.Named("telemetry")); err != nil {
		n.close()
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	if err := n.connect(c); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// close ends what the node has open when nothing of it runs any more.
func (n *node) close() {
	n.phoneBook.close()
	n.telemetry.close()
	_ = n.video.Close() // always nil
	n.meeting.close()
	if err := n.readers.Close(); err != nil {
		n.log.Error("media sockets not closed", zap.Error(err))
	}
	if err := n.directory.DB.Close(); err != nil {
		n.log.Error("database not closed", zap.Error(err))
	}
}

// identify settles what we prove ourselves with, and what others do.
func (n *node) identify(c *config.Config) error {
	hash, made, err := firstKey(c)
	if err != nil {
		return err
	}
	n.keys.Set(hash)
	ids, err := loadIdentities(c, time.Now())
	if err != nil {
		return err
	}
	n.sipTLS.Set(ids.sip)
	n.webTLS.Set(ids.web)
	n.greeting.key, n.greeting.selfie = made, c.HTTP.TLS.Cert == ""
	return nil
}

// connect makes the stacks, the gateway between them, and the API above.
func (n *node) connect(c *config.Config) error {
	n.nodes = cluster.New(n.directory.DB, n.meeting.node, time.Now, n.log.Named("cluster"))
	n.leases = lease.New(n.directory.DB, n.meeting.node, time.Now, n.log.Named("leases"))
	n.hooks = webhook.New(webhook.Config{Directory: n.directory, Node: n.meeting.node, Log: n.log.Named("webhooks")})
	n.records = record.NewLog(n.directory.DB, n.log.Named("records"))
	n.guard = n.guardTrunks()
	settings, err := n.settings(c)
	if err != nil {
		return err
	}
	ports, err := portpool.New(portpool.Config{Low: c.RTP.Ports.Low, High: c.RTP.Ports.High, Quarantine: quarantine, Readers: n.readers})
	if err != nil {
		return fmt.Errorf("rtp.ports: %w", err)
	}
	if err := n.listenSIP(c, ports); err != nil {
		return err
	}
	endpoints := map[call.Protocol]call.Endpoint{call.SIP: n.sip}
	if len(c.H323.Signalling) > 0 {
		around := surroundings{
			changed: n.h323RegistrationChanged, leads: n.leads, whole: n.whole, count: n.metrics.H323Message, accounts: n.zoneAccounts,
			store: zoneStore{&binding.Book{DB: n.directory.DB, Protocol: call.H323, Node: n.meeting.node}}, nodes: n.nodes, trace: n.trace,
		}
		if n.h323, err = listenH323(c, ports, n.log, around); err != nil {
			return err
		}
		endpoints[call.H323] = n.h323
	}
	prompts, err := lobbyPrompts(c, n.log)
	if err != nil {
		return err
	}
	n.gateway, err = gateway.New(gateway.Config{
		Endpoints:      endpoints,
		Registrations:  n.registrations,
		TerminalExists: n.known,
		ProtocolOf:     n.protocolOf,
		Directory:      n.directory,
		Invitations:    n.invitations(),
		Trunks:         n.guard,
		Lease:          n.lease(c),
		Codes:          meetingCodes{&code.Book{DB: n.directory.DB}, n.directory},
		Record:         n.record,
		SFU:            n.meeting,
		Admin:          n.meeting,
		Codecs:         &transcode.Codecs{},
		Video:          n.video,
		PhoneAudio:     c.SFU.PhoneAudio,
		Capabilities:   capabilities(),
		WorkerVideo:    workerVideo,
		Prompts:        prompts,
		Tracer:         n.telemetry.tracer(),
		Version:        version,
		Logger:         n.log,
		Settings:       settings,
	})
	if err != nil {
		return err
	}
	n.directory.Watch(n.directoryChanged)
	n.nodes.Gone = n.nodeGone
	n.nodes.Changed = func() { n.directoryChanged(directory.KindTrunk) }
	n.nodes.Announce(n.reachable())
	if err := n.release(n.meeting.node); err != nil {
		return err
	}
	if err := n.closeRecords(); err != nil {
		return err
	}
	n.metrics.Observe(n.gateway, n.reload)
	n.metrics.ObserveTrunks(n.guard, n.lines)
	if err := n.listenPhoneBook(c); err != nil {
		return err
	}
	return n.listenWeb(c)
}

// lease is how meetings ask who decides; nil where each node has meetings of its own.
func (n *node) lease(c *config.Config) func(meeting string) gateway.Lease {
	if !n.directory.DB.Shared() || c.SFU.Embedded {
		return nil
	}
	return func(meeting string) gateway.Lease { return n.leases.Take("floor " + meeting) }
}

func (n *node) listenWeb(c *config.Config) error {
	pages, err := web.Handler()
	if errors.Is(err, web.ErrNotBuilt) {
		n.log.Warn("no web pages", zap.Error(err))
		pages, err = http.NotFoundHandler(), nil
	}
	if err != nil {
		return err
	}
	book := n.phoneBook.book
	if !c.PhoneBook.XML {
		book = nil
	}
	var sync func(context.Context, bool, bool) (ldapsync.Plan, error)
	if c.LDAPSync.URL != "" {
		sync = n.syncDirectory
	}
	handler, err := api.New(api.Config{
		Gateway: n.gateway, Keys: &n.keys, Logger: n.log, Version: version,
		Web: pages, SFU: n.meeting.proxied(), Metrics: n.metrics,
		Directory: n.directory, Revive: n.revive, Trunks: n.guard, TrunkLines: n.lines, PublicURL: n.publicURL, TrustedProxy: n.trustedProxy, Reload: n.reload,
		DialIn: n.dialIn, KeyRequests: func() int { return n.live.Current().Limits.APIRequests },
		Trace: n.trace, PhoneBook: book, PhoneBookTLS: n.phoneBookTLS, SyncDirectory: sync,
	})
	if err != nil {
		return err
	}
	identity := &tls.Config{GetCertificate: n.webTLS.Get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	n.web, err = listenWeb(c.HTTP, identity, handler, n.log)
	return err
}

// publicURL is http.public_url; nil when it is not set.
func (n *node) publicURL() *url.URL {
	text := n.live.Current().HTTP.PublicURL
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil { // the configuration was checked
		return nil
	}
	return u
}

func (n *node) trustedProxy(a netip.Addr) bool {
	for _, p := range n.live.Current().HTTP.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
