package mixer_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/transcode"
)

// call is a mixer with inputs that get the same packets again and again.
type call struct {
	now     time.Time
	clock   *mixer.Clock
	mixer   *mixer.Mixer
	inputs  []*mixer.Input
	packets [][]*rtp.Packet // by input
	steps   []uint32        // of timestamps
	sent    int
}

type discard struct{}

func (discard) WriteRTP(*rtp.Packet) error { return nil }

func newCall(tb testing.TB, formats ...media.Format) *call {
	c := &call{now: time.Unix(1_000_000, 0), clock: mixer.NewManualClock()}
	c.mixer = mixer.New(mixer.Config{Codecs: &transcode.Codecs{}, Clock: c.clock, Now: func() time.Time { return c.now }})
	tb.Cleanup(c.mixer.Close)
	for i, f := range formats {
		in, err := c.mixer.AddInput(mixer.InputConfig{ID: fmt.Sprint("in", i), Format: f, AGC: true})
		if err != nil {
			tb.Fatal(err)
		}
		rate := 8000
		if f.Codec == media.G722 {
			rate = 16000
		}
		e, err := (&transcode.Codecs{}).NewEncoder(f, rate)
		if err != nil {
			tb.Fatal(err)
		}
		sound := sine(e.Rate(), 300+70*float64(i), -15)
		var packets []*rtp.Packet
		for range 50 {
			pcm, payload := make([]int16, e.Rate()/50), make([]byte, 1500)
			sound(pcm)
			n, err := e.Encode(payload, pcm)
			if err != nil {
				tb.Fatal(err)
			}
			packets = append(packets, &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: payload[:n]})
		}
		c.inputs, c.packets, c.steps = append(c.inputs, in), append(c.packets, packets), append(c.steps, f.ClockRate/50)
	}
	return c
}

func (c *call) output(tb testing.TB, f media.Format, exclude *mixer.Input) {
	out, err := c.mixer.AddOutput(mixer.OutputConfig{ID: "o", Format: f, Exclude: exclude})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(out.Attach(discard{}))
}

func (c *call) uplink(tb testing.TB, in *mixer.Input, f media.Format) {
	up, err := in.Uplink(f)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(up.Attach(discard{}))
}

// step is 20 ms of the call: a packet on each input, and a tick.
func (c *call) step() {
	for i, in := range c.inputs {
		p := c.packets[i][c.sent%50]
		p.SequenceNumber = uint16(c.sent)
		p.Timestamp = uint32(c.sent) * c.steps[i]
		if err := in.WriteRTP(p); err != nil {
			panic(err)
		}
	}
	c.sent++
	c.now = c.now.Add(20 * time.Millisecond)
	c.clock.Tick()
}

func TestNothingIsAllocated(t *testing.T) {
	c := newCall(t, pcmu, g722, siren14, opus)
	for _, in := range c.inputs {
		c.uplink(t, in, opus)
	}
	for _, f := range []media.Format{pcmu, g722, siren7, siren14, opus} {
		for i := range 5 {
			var own *mixer.Input
			if i < 3 {
				own = c.inputs[i]
			}
			c.output(t, f, own)
		}
	}
	for range 100 {
		c.step()
	}
	if n := testing.AllocsPerRun(200, c.step); n != 0 {
		t.Errorf("%v allocations in 20 ms", n)
	}
}

// A phone in a meeting: PCMU in, Opus to the SFU and back.
func BenchmarkCallPCMU(b *testing.B) {
	c := newCall(b, pcmu, opus)
	c.uplink(b, c.inputs[0], opus)
	c.output(b, pcmu, c.inputs[0])
	b.ReportAllocs()
	for b.Loop() {
		c.step()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20e6, "core/call")
}

// A hundred phones that listen to three speakers.
func BenchmarkMeeting100(b *testing.B) {
	for _, f := range []media.Format{pcmu, g722, opus} {
		b.Run(f.String(), func(b *testing.B) {
			c := newCall(b, opus, opus, pcmu)
			for range 100 {
				c.output(b, f, nil)
			}
			for _, in := range c.inputs {
				c.output(b, f, in)
			}
			b.ReportAllocs()
			for b.Loop() {
				c.step()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20e6/100, "core/leg")
		})
	}
}
