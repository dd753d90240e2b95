package e2e

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSoak holds one call with pictures for as long as E2E_SOAK says, while
// short calls come and go and the configuration is loaded again and again: the
// call loses nothing, and the gateway does not grow. make soak runs it for an
// hour.
func TestSoak(t *testing.T) {
	t.Setenv("GOGC", "100")
	lasts, err := time.ParseDuration(os.Getenv("E2E_SOAK"))
	if err != nil {
		t.Skip("NOT soaked: E2E_SOAK does not say how long; make soak does it for an hour")
	}
	g := startGatewayOn(t, strings.Replace(baseConfig, "level: debug", "level: warn", 1)+"limits: {per_source: 2000}\n")
	a := startRoom(t, 700, "--call", "long@"+gatewayIP, "--fps", "30")
	b := startRoom(t, 1100, "--call", "long@"+gatewayIP, "--video", "pattern360", "--fps", "30")
	g.flows(t, "long", 2, true)
	g.shortCalls(400)
	first := g.holdings()
	for end := time.Now().Add(lasts); time.Now().Before(end); {
		g.shortCalls(100)
		if err := syscall.Kill(g.cmd.Process.Pid, syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		<-time.After(5 * time.Second)
		h := g.holdings()
		t.Logf("%+v", h)
		if h.goroutines > first.goroutines+20 || h.files > first.files+20 || h.memory > first.memory+60 {
			t.Fatalf("at first %+v, now %+v", first, h)
		}
	}
	g.flows(t, "long", 2, true)
	for _, r := range []struct {
		*room
		hz float64
	}{{a, 1100}, {b, 700}} {
		got := r.heard(r.hz, "G722", "none", 0, 0)
		if got.Audio == nil || got.Audio.Packets < int(lasts.Seconds()*49) || got.Audio.Lost*1000 > got.Audio.Packets {
			t.Errorf("%s hears %+v in %s", r.name, got.Audio, lasts)
		}
		if got.Video == nil || got.Video.Frames < int(lasts.Seconds()*28) {
			t.Errorf("%s sees %+v in %s", r.name, got.Video, lasts)
		}
	}
}
