package livekit

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/feedback"
	"github.com/roomgate/roomgate/media/rtpconn/report"
)

// pliInterval is the least time between our requests for a keyframe; one that
// comes earlier is sent when it is over.
const pliInterval = 500 * time.Millisecond

// remoteTrack is a stream of another participant.
type remoteTrack struct {
	id      string
	role    media.Role
	format  media.Format
	ssrc    uint32
	levelID uint8
	conn    *subscriber
	from    *reception
	out     fanout
	seen    tracking

	delivering sync.Mutex // one packet at a time
	gate       gate
	missing    feedback.Missing // of pictures
	in         rtp.Packet
	translated rtp.Packet
	level      [1]byte

	done chan struct{}
	once sync.Once

	mu        sync.Mutex
	publisher call.Participant // as last known
	requested time.Time        // the last PLI
	pending   *time.Timer      // a PLI put off
	ntp       uint64
	ntpTS     uint32
}

var (
	_ ParticipantTrack     = (*remoteTrack)(nil)
	_ media.SenderReporter = (*remoteTrack)(nil)
)

func newRemoteTrack(r *reception, c *subscriber, remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) *remoteTrack {
	t := &remoteTrack{
		id: remote.ID(), format: formatOf(remote.Codec()), ssrc: uint32(remote.SSRC()), conn: c, from: r, done: make(chan struct{}),
	}
	owner, role, known := r.owner(t.id)
	t.publisher, t.role = owner, role
	if !known && remote.Kind() == webrtc.RTPCodecTypeVideo {
		t.role = media.Main
	}
	t.seen.stats.ClockRate = t.format.ClockRate
	t.gate.h264 = t.format.Codec.Is(string(media.H264))
	t.out.hold = t.role != media.Audio
	for _, e := range receiver.GetParameters().HeaderExtensions {
		if e.URI == levelExtension.URI {
			t.levelID = uint8(e.ID)
		}
	}
	return t
}

// ID is the SFU's name of the track, unique in the room.
func (t *remoteTrack) ID() string { return t.id }

// Role is audio, main or content.
func (t *remoteTrack) Role() media.Role { return t.role }

// Format is the negotiated codec. Of H.264 the profile is not known until the
// stream's parameter sets are read.
func (t *remoteTrack) Format() media.Format { return t.format }

// Done is closed when the track has ended.
func (t *remoteTrack) Done() <-chan struct{} { return t.done }

// Attach adds a consumer. The first one of a picture is given at once what has
// come so far.
func (t *remoteTrack) Attach(w media.Writer) (detach func()) { return t.out.attach(w) }

// Participant is a snapshot of the publisher.
func (t *remoteTrack) Participant() call.Participant {
	p, _, known := t.from.owner(t.id)
	t.mu.Lock()
	defer t.mu.Unlock()
	if known {
		t.publisher = p
	}
	return t.publisher
}

// NTP is the wall clock of the track's timestamps.
func (t *remoteTrack) NTP() (ntp uint64, rtpTime uint32, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ntp, t.ntpTS, t.ntp != 0
}

// RequestKeyframe asks the SFU for a keyframe, at most every 500 ms.
func (t *remoteTrack) RequestKeyframe() {
	if t.role == media.Audio {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isDone() {
		return
	}
	wait := pliInterval - time.Since(t.requested)
	switch {
	case t.pending != nil:
	case wait <= 0:
		t.requested = time.Now()
		t.sendPLI()
	default:
		t.pending = time.AfterFunc(wait, t.pendingPLI)
	}
}

func (t *remoteTrack) pendingPLI() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pending == nil {
		return
	}
	t.pending = nil
	t.requested = time.Now()
	t.sendPLI()
}

// sendPLI writes to a connection that may be gone: then it is lost with it.
func (t *remoteTrack) sendPLI() {
	_ = t.conn.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: t.ssrc}})
}

// end closes the track; packets still on their way are not delivered.
func (t *remoteTrack) end() {
	t.once.Do(func() {
		t.mu.Lock()
		if t.pending != nil {
			t.pending.Stop()
			t.pending = nil
		}
		close(t.done)
		t.mu.Unlock()
	})
}

// read delivers what comes the long way until the stream or the track ends. From the second
// packet on it takes the shortcut.
func (t *remoteTrack) read(remote *webrtc.TrackRemote) {
	buf := make([]byte, receiveMTU)
	defer t.conn.shortcut.close(t)
	for first := true; ; first = false {
		n, _, err := remote.Read(buf)
		if err != nil {
			return
		}
		t.deliver(buf[:n], time.Now())
		if t.isDone() {
			return
		}
		if first {
			t.conn.shortcut.open(t, binary.BigEndian.Uint16(buf[2:]))
		}
	}
}

func (t *remoteTrack) isDone() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// deliver gives a packet to the consumers, unless it came before.
func (t *remoteTrack) deliver(b []byte, now time.Time) {
	t.delivering.Lock()
	defer t.delivering.Unlock()
	in, out := &t.in, &t.translated
	if t.isDone() || in.Unmarshal(b) != nil {
		return
	}
	verdict := t.seen.push(in.SequenceNumber, in.Timestamp, t.format.ClockRate, len(b), now)
	if verdict == report.Duplicate {
		return
	}
	if t.role != media.Audio {
		t.askAgain(verdict, now)
	}
	if t.gate.passes(in.Payload) {
		t.translate(in, out)
		t.out.write(out)
	}
}

// askAgain asks for packets of pictures that are missing (RFC 4585 §6.2.1), driven by those
// that come.
func (t *remoteTrack) askAgain(verdict report.Verdict, now time.Time) {
	if verdict == report.Restart {
		t.missing.Reset()
	}
	t.missing.Push(t.in.SequenceNumber, now)
	if pairs := t.missing.Due(now, supposedTrip); pairs != nil {
		_ = t.conn.pc.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{SenderSSRC: t.conn.ssrc, MediaSSRC: t.ssrc, Nacks: pairs}})
	}
}

// supposedTrip stands for the time to the SFU and back: what is still missing is asked for
// again after one and a half of it.
const supposedTrip = 60 * time.Millisecond

// translate copies what travels between stages: the numbers, the payload, and
// the audio level under its fixed identifier.
func (t *remoteTrack) translate(in, out *rtp.Packet) {
	extensions := out.Extensions[:0]
	out.Header = rtp.Header{
		Version: 2, Marker: in.Marker, PayloadType: in.PayloadType, SequenceNumber: in.SequenceNumber,
		Timestamp: in.Timestamp, SSRC: in.SSRC, Extensions: extensions,
	}
	out.Payload = in.Payload
	if t.levelID == 0 {
		return
	}
	if l := in.GetExtension(t.levelID); len(l) > 0 {
		t.level[0] = l[0]
		_ = out.SetExtension(media.AudioLevelID, t.level[:]) // one byte under a valid id cannot fail
	}
}

// listen reads the track's RTCP: the sender reports that say its wall clock.
func (t *remoteTrack) listen(receiver *webrtc.RTPReceiver) {
	for {
		packets, _, err := receiver.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			if sr, ok := p.(*rtcp.SenderReport); ok && sr.SSRC == t.ssrc {
				t.seen.reported(sr.NTPTime, time.Now())
				t.mu.Lock()
				t.ntp, t.ntpTS = sr.NTPTime, sr.RTPTime
				t.mu.Unlock()
			}
		}
	}
}
