package api

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/roomgate/roomgate/gateway/trunk"
)

var (
	descTrunkCalls      = desc("trunk_calls", "Calls on a trunk.", "trunk", "direction")
	descTrunkRefused    = desc("trunk_refused_total", "Calls that a trunk did not take, since the start.", "trunk", "direction", "reason")
	descTrunkTarget     = desc("trunk_target_up", "1 while a target of a trunk answers.", "trunk", "target")
	descTrunkRegistered = desc("trunk_registered", "1 while this node is registered with the carrier of a trunk.", "trunk")
)

// ObserveTrunks says which trunks the metrics are about.
func (m *Metrics) ObserveTrunks(guard *trunk.Guard, lines func() []TrunkLine) {
	m.registry.MustRegister(trunkMetrics{guard, lines})
}

// trunkMetrics collects what is known of trunks without asking the database.
type trunkMetrics struct {
	guard *trunk.Guard
	lines func() []TrunkLine
}

// Describe implements prometheus.Collector; what it collects depends on the trunks
// there are.
func (trunkMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (t trunkMetrics) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, s := range t.guard.Counts() {
		gauge(descTrunkCalls, float64(s.In), s.Name, "in")
		gauge(descTrunkCalls, float64(s.Out), s.Name, "out")
		for _, c := range s.Refused {
			out <- prometheus.MustNewConstMetric(descTrunkRefused, prometheus.CounterValue, float64(c.Calls), s.Name, string(c.Direction), string(c.Reason))
		}
	}
	for _, l := range t.lines() {
		seen := map[string]bool{}
		for _, target := range l.Targets {
			name := target.Transport + ":" + target.Address
			if target.Address == "" {
				name = target.Transport + ":" + target.Name
			}
			if !seen[name] { // a host may stand behind two targets
				seen[name] = true
				gauge(descTrunkTarget, number(target.State != "down"), l.Trunk, name)
			}
		}
		if l.Registration != nil {
			gauge(descTrunkRegistered, number(l.Registration.State == "registered"), l.Trunk)
		}
	}
}
