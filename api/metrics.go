package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/roomgate/roomgate/gateway"
)

// Metrics are the gateway's, in a registry of their own. Run has to be called
// for the media counters to miss nothing.
type Metrics struct {
	registry *prometheus.Registry
	sip      *prometheus.CounterVec
	h323     *prometheus.CounterVec

	looks sync.Mutex // one Collect at a time

	mu     sync.Mutex
	node   Observed
	reload func() Reload
	totals traffic
}

// Observed is what metrics are taken from.
type Observed interface {
	Node
	Calls() []gateway.Call
	Meetings() []gateway.Meeting
}

// NewMetrics makes the registry; Observe says what it looks at.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		sip: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "roomgate_sip_messages_total",
			Help: "SIP messages on the wire; responses count as 1xx to 6xx.",
		}, []string{"direction", "kind"}),
		h323: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "roomgate_h323_messages_total",
			Help: "H.323 messages on the wire: call signalling, H.245 as one kind, RAS; malformed and limited are RAS that was dropped.",
		}, []string{"direction", "kind"}),
		totals: newTraffic(),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), m.sip, m.h323, m)
	return m
}

// Observe says what the metrics are about. Before it, only those of the process
// show.
func (m *Metrics) Observe(node Observed, reload func() Reload) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.node, m.reload = node, reload
}

// Handler serves the metrics to Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Timeout: 10 * time.Second})
}

// SIPMessage counts one message. sent tells our own; status is 0 for requests.
func (m *Metrics) SIPMessage(sent bool, method string, status int) {
	m.sip.WithLabelValues(direction(sent), messageKind(method, status)).Inc()
}

// H323Message counts one message. Strangers must not be able to make up kinds.
func (m *Metrics) H323Message(sent bool, kind string) {
	m.h323.WithLabelValues(direction(sent), kind).Inc()
}

func direction(sent bool) string {
	if sent {
		return "out"
	}
	return "in"
}

// messageKind bounds the labels: strangers choose the methods they send.
func messageKind(method string, status int) string {
	if status >= 100 && status <= 699 {
		return string(rune('0'+status/100)) + "xx"
	}
	switch method {
	case "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "UPDATE", "INFO", "REFER",
		"NOTIFY", "SUBSCRIBE", "MESSAGE", "PUBLISH":
		return method
	}
	return "other"
}

// Run counts the media of calls that end between two scrapes, until the events
// end.
func (m *Metrics) Run(events <-chan gateway.Event) {
	for e := range events {
		if e.Kind == gateway.EventCallEnded && e.Call != nil {
			m.mu.Lock()
			m.totals.ended(*e.Call)
			m.mu.Unlock()
		}
	}
}

var (
	descCalls         = desc("calls", "Living calls.", "protocol", "direction", "state")
	descLegs          = desc("meeting_legs", "Terminals and phones in all meetings of this node.")
	descMeetings      = desc("meetings", "Meetings of this node.")
	descMaxCalls      = desc("calls_limit", "Calls allowed at once; 0 means no limit.")
	descTotal         = desc("calls_total", "Calls since the start.")
	descRefused       = desc("calls_refused_total", "Calls refused over the limit since the start.")
	descDraining      = desc("draining", "1 while no new calls are taken before a stop.")
	descRegistrations = desc("registrations", "Registered terminals.", "protocol")
	descSFU           = desc("sfu_up", "1 while the meeting server answers.")
	descVideo         = desc("video_up", "1 while pictures can be transcoded and composed.")
	descEncoders      = desc("video_encoders", "Encodes that the video workers make at the moment, each for all who need the same.")
	descPictures      = desc("video_steps_total", "Pictures decoded, drawn and encoded by the video workers.")
	descPicturesBusy  = desc("video_busy_seconds_total", "Processor time of these.")
	descRestarts      = desc("video_restarts_total", "Video workers that died and were started again.")
	descTicks         = desc("audio_tick_late_seconds", "How late the ticks of the mixer began.")
	descTicksSkipped  = desc("audio_ticks_skipped_total", "Ticks given up after a long stall.")
	descRouting       = desc("route_decision_seconds", "How long decisions took where calls go; with those of the policy hook.")
	descPackets       = desc("media_packets_total", "RTP packets, as the gateway sees them.", "kind", "direction")
	descBytes         = desc("media_bytes_total", "RTP payload.", "kind", "direction")
	descLost          = desc("media_lost_packets_total", "RTP packets lost; sent ones as the far side reports.", "kind", "direction")
	descReloads       = desc("config_reloads_total", "Reloads of the configuration.", "result")
	descNeedRestart   = desc("config_restart_needed", "Changed keys that take effect after a restart.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("roomgate_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector; what it collects depends on the
// calls there are.
func (m *Metrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	m.looks.Lock()
	defer m.looks.Unlock()
	m.mu.Lock()
	node, reload := m.node, m.reload
	m.totals.look()
	m.mu.Unlock()
	if node == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}

	s := node.Status(ctx)
	gauge(descMaxCalls, float64(s.MaxCalls))
	gauge(descDraining, number(s.Draining))
	gauge(descSFU, number(s.SFU == "up"))
	gauge(descVideo, number(s.Video == "up"))
	gauge(descEncoders, float64(s.Pictures.Encoders))
	counter(descPictures, float64(s.Pictures.Frames))
	counter(descPicturesBusy, s.Pictures.Busy.Seconds())
	counter(descRestarts, float64(s.Pictures.Restarts))
	if len(s.Ticks.Late) > len(s.Ticks.Bounds) {
		out <- histogram(descTicks, s.Ticks.Bounds, s.Ticks.Late, s.Ticks.LateSum)
	}
	if r := s.Routing; len(r.Counts) > len(r.Bounds) {
		out <- histogram(descRouting, r.Bounds, r.Counts, r.Sum)
	}
	counter(descTicksSkipped, float64(s.Ticks.Skipped))
	counter(descTotal, float64(s.Total))
	counter(descRefused, float64(s.Refused))

	meetings, legs := node.Meetings(), 0
	for _, meeting := range meetings {
		legs += meeting.Legs
	}
	gauge(descMeetings, float64(len(meetings)))
	gauge(descLegs, float64(legs))

	registrations := map[string]int{"sip": 0}
	for _, r := range node.Registrations() {
		registrations[string(r.Protocol)]++
	}
	for protocol, n := range registrations {
		gauge(descRegistrations, float64(n), protocol)
	}

	calls := node.Calls()
	states := map[[3]string]int{}
	for _, c := range calls {
		states[[3]string{string(c.Info.Protocol), string(c.Info.Direction), string(c.State)}]++
	}
	for labels, n := range states {
		gauge(descCalls, float64(n), labels[:]...)
	}

	m.mu.Lock()
	totals := m.totals.living(calls)
	m.mu.Unlock()
	for key, sum := range totals {
		counter(descPackets, float64(sum.packets), key.kind, key.direction)
		counter(descBytes, float64(sum.bytes), key.kind, key.direction)
		counter(descLost, float64(sum.lost), key.kind, key.direction)
	}
	if reload != nil {
		r := reload()
		counter(descReloads, float64(r.Reloads), "applied")
		counter(descReloads, float64(r.Failures), "refused")
		gauge(descNeedRestart, float64(len(r.NeedRestart)))
	}
}

// histogram is one of durations, of which counts has one more than there are bounds.
func histogram(d *prometheus.Desc, bounds []time.Duration, counts []uint64, sum time.Duration) prometheus.Metric {
	buckets, below := map[float64]uint64{}, uint64(0)
	for i, bound := range bounds {
		below += counts[i]
		buckets[bound.Seconds()] = below
	}
	return prometheus.MustNewConstHistogram(d, below+counts[len(bounds)], sum.Seconds(), buckets)
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
