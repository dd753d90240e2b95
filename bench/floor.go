package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/roomgate/roomgate/bench/traffic"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/transcode"
)

// floor is what the work of a gateway costs at least, in the same run: bare
// loops that do one thing each.
type floor struct {
	relay          time.Duration // a packet through a UDP relay
	encode, decode time.Duration // 20 ms of Opus at 8 kHz
	law            time.Duration // 20 ms of G.711 there and back
}

// reference is the machine that targets in cores are set for.
var reference = floor{relay: 7 * time.Microsecond, encode: 63 * time.Microsecond, decode: 8 * time.Microsecond}

// call is the floor of a PCMU <-> Opus call, in cores: 50 packets a second each
// way, each relayed and transcoded.
func (f floor) call() float64 {
	return 50 * (2*f.relay + f.encode + f.decode + f.law).Seconds()
}

// callG711 is the floor of a call whose phone is sent what the meeting sends, in G.711.
func (f floor) callG711() float64 { return 50 * (2*f.relay + f.decode + f.law).Seconds() }

// relayed is the floor of a number of packets a second that are passed on.
func (f floor) relayed(packets float64) float64 { return packets * f.relay.Seconds() }

var (
	opus = media.Format{Codec: media.Opus, PayloadType: 111, ClockRate: 48000, Channels: 2}
	pcmu = media.Format{Codec: media.PCMU, ClockRate: 8000}
	h264 = media.Format{Codec: media.H264, PayloadType: 97, ClockRate: 90000,
		H264: media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1, AsymmetryAllowed: true}}
)

// between is what lies between two measurements.
func between(a, b floor) floor {
	return floor{relay: (a.relay + b.relay) / 2, encode: (a.encode + b.encode) / 2, decode: (a.decode + b.decode) / 2, law: (a.law + b.law) / 2}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func (r *run) floors(ctx context.Context) (err error) {
	if r.floor, err = r.measureFloor(ctx); err != nil {
		return err
	}
	r.add(Figure{Scenario: "floor", Name: "bare UDP relay, per packet", Value: micros(r.floor.relay), Unit: "µs"})
	r.add(Figure{Scenario: "floor", Name: "libopus encode, 20 ms at 8 kHz", Value: micros(r.floor.encode), Unit: "µs", Note: "as the gateway sets it"})
	r.add(Figure{Scenario: "floor", Name: "libopus decode, 20 ms at 8 kHz", Value: micros(r.floor.decode), Unit: "µs", Note: "of the fullband stream that browsers send"})
	r.add(Figure{Scenario: "floor", Name: "G.711 there and back, 20 ms", Value: micros(r.floor.law), Unit: "µs"})
	r.add(Figure{Scenario: "floor", Name: "PCMU <-> Opus call from these", Value: r.floor.call(), Unit: "core"})
	return nil
}

func (r *run) measureFloor(ctx context.Context) (f floor, err error) {
	if f.encode, f.decode, err = codecLoop(opus, 48000); err != nil {
		return f, err
	}
	encode, decode, err := codecLoop(pcmu, 8000)
	if err != nil {
		return f, err
	}
	f.law = encode + decode
	f.relay, err = r.relayLoop(ctx)
	return f, err
}

// coders is how many coders a loop takes turns with: those of fifty calls, so
// that they share the caches as the calls' do.
const coders = 50

// codecTime is how long a codec is measured at least: others who use the machine disturb it
// for a second at a time.
const codecTime = 3 * time.Second

// codecLoop times encoding at 8 kHz, and decoding at 8 kHz what somebody sends
// who encodes at rate.
func codecLoop(f media.Format, rate int) (encode, decode time.Duration, err error) {
	sound, err := traffic.Speech(f, rate)
	if err != nil {
		return 0, 0, err
	}
	codecs := &transcode.Codecs{}
	var decoders [coders]mixer.Decoder
	var encoders [coders]mixer.Encoder
	for i := range coders {
		if decoders[i], err = codecs.NewDecoder(f, 8000); err != nil {
			return 0, 0, err
		}
		if encoders[i], err = codecs.NewEncoder(f, 8000); err != nil {
			return 0, 0, err
		}
	}
	frames := make([][]int16, len(sound.Packets))
	payload := make([]byte, 1500)
	rounds := time.Duration(0)
	for began := time.Now(); rounds == 0 || time.Since(began) < codecTime; rounds++ {
		start := processorTime()
		for i, payload := range sound.Packets {
			frames[i] = make([]int16, 8000/50)
			for _, d := range decoders {
				if _, err := d.Decode(frames[i], payload); err != nil {
					return 0, 0, err
				}
			}
		}
		decoded := processorTime()
		for _, pcm := range frames {
			for _, e := range encoders {
				if _, err := e.Encode(payload, pcm); err != nil {
					return 0, 0, err
				}
			}
		}
		decode += decoded - start
		encode += processorTime() - decoded
	}
	n := rounds * coders * time.Duration(len(frames))
	return encode / n, decode / n, nil
}

// processorTime is the processor time of this process: other processes on the
// machine do not count.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail with these arguments
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// relays is how many sockets the bare relay serves: those of fifty calls.
const relays = 100

// relayLoop sends streams of 50 packets a second through a bare relay in a
// process of its own.
func (r *run) relayLoop(ctx context.Context) (perPacket time.Duration, err error) {
	port, err := traffic.NewPort(loopback)
	if err != nil {
		return 0, err
	}
	defer port.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.in.Binary, "bench", "--relay", port.Addr().String())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	done, err := spawn(cmd)
	if err != nil {
		return 0, err
	}
	defer func() {
		cancel()
		<-done
	}()
	wheel := traffic.NewWheel(20 * time.Millisecond)
	defer wheel.Close()
	payload := make([]byte, 160)
	streams := make([]*traffic.Stream, relays)
	for i := range streams {
		var far string
		if _, err := fmt.Fscan(out, &far); err != nil {
			return 0, fmt.Errorf("bare relay: %w", err)
		}
		at, err := netip.ParseAddrPort(far)
		if err != nil {
			return 0, err
		}
		s := port.Open(at, 0, nil)
		streams[i] = s
		wheel.Add(func(time.Time) { s.Send(payload, false, 160) })
	}
	return r.relayWindow(ctx, process(cmd.Process.Pid), streams)
}

func (r *run) relayWindow(ctx context.Context, relay process, streams []*traffic.Stream) (time.Duration, error) {
	if err := pause(ctx, time.Second); err != nil {
		return 0, err
	}
	count := func() (n uint64) {
		for _, s := range streams {
			n += s.Packets()
		}
		return n
	}
	used, err := relay.cpu()
	if err != nil {
		return 0, err
	}
	before := count()
	if err := pause(ctx, min(r.window(), 10*time.Second)/2); err != nil {
		return 0, err
	}
	packets := count() - before
	after, err := relay.cpu()
	if err != nil || packets == 0 {
		return 0, fmt.Errorf("bare relay: %d packets: %w", packets, err)
	}
	return (after - used) / time.Duration(packets), nil
}

// Relay is the baseline as a process: it binds sockets, writes their addresses,
// and sends what comes on each to the address given, until ctx ends.
func Relay(ctx context.Context, to string, out io.Writer) error {
	far, err := netip.ParseAddrPort(to)
	if err != nil {
		return fmt.Errorf("%w: relay: %w", ErrOptions, err)
	}
	var list strings.Builder
	done := make(chan struct{}, relays)
	for range relays {
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
		if err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		defer stop()
		_, _ = fmt.Fprintln(&list, conn.LocalAddr())
		go func() {
			defer func() { done <- struct{}{} }()
			buf := make([]byte, 1500)
			for {
				n, _, err := conn.ReadFromUDPAddrPort(buf)
				if err != nil {
					return
				}
				_, _ = conn.WriteToUDPAddrPort(buf[:n], far)
			}
		}()
	}
	if _, err := io.WriteString(out, list.String()); err != nil {
		return err
	}
	for range relays {
		<-done
	}
	return nil
}
