package livekit

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
)

// mostBlocks is how many reports a packet holds: its counter has five bits (RFC 3550 §6.4.2).
const mostBlocks = 31

// acknowledge tells the SFU what came of all streams, by which it measures the way to us:
// one packet for the connection, by the pulse of the client.
func (r *reception) acknowledge(s *session, now time.Time) {
	conn := s.existingSubscriber()
	if conn == nil {
		return
	}
	var blocks []rtcp.ReceptionReport
	r.mu.Lock()
	for _, t := range r.open {
		if t.conn == conn {
			blocks = append(blocks, t.seen.block(t.ssrc, now))
		}
	}
	r.mu.Unlock()
	if packets := receiverReports(conn.ssrc, blocks); packets != nil {
		_ = conn.pc.WriteRTCP(packets) // a connection that is gone has nobody to tell
	}
}

func receiverReports(ssrc uint32, blocks []rtcp.ReceptionReport) (packets []rtcp.Packet) {
	for part := range slices.Chunk(blocks, mostBlocks) {
		packets = append(packets, &rtcp.ReceiverReport{SSRC: ssrc, Reports: part})
	}
	return packets
}

// block is the report about a stream since the one before (RFC 3550 §6.4.1).
func (t *tracking) block(ssrc uint32, now time.Time) rtcp.ReceptionReport {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats.Report(ssrc, now)
}

// reported takes the time of a sender report, which the next block refers to.
func (t *tracking) reported(ntp uint64, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stats.SenderReport(ntp, now)
}
