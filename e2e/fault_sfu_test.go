package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// outage is a meeting of a terminal, a phone and a browser that loses its SFU.
type outage struct {
	t        *testing.T
	g        *gateway
	web      *browser
	terminal *baresip
	phone    *baresip
	calls    []string // their ids
}

// beginOutage lets the three meet, and hear and see each other.
func beginOutage(t *testing.T, g *gateway) *outage {
	t.Helper()
	o := &outage{t: t, g: g}
	o.web = joinMeeting(t, "demo", browserOptions{name: "Lan", wav: toneFile(t, 1200), flags: []string{"allow-running-insecure-content"}})
	o.terminal = startBaresip(t, peerOptions{hz: 600, video: true, size: "640x360"})
	o.phone = startBaresip(t, peerOptions{hz: 950, codecs: "PCMA"})
	o.terminal.dial("sip:demo@" + gatewayIP)
	o.phone.dial("sip:demo@" + gatewayIP)
	o.terminal.established()
	o.phone.established()
	o.meet()
	o.calls = callIDs(g)
	if len(o.calls) != 2 {
		t.Fatalf("calls %v, want 2", o.calls)
	}
	return o
}

// meet waits until everybody hears and sees everybody.
func (o *outage) meet() {
	o.t.Helper()
	o.terminal.hears(1200, 600)
	o.phone.hears(1200, 950)
	o.web.hears("terminal", 600)
	o.web.hears("phone", 950)
	o.web.decodes("terminal")
	o.terminal.seesMore()
}

// survives lets crash happen, after which the SFU must come back, by itself or
// by restore: the legs hear a tone, nobody is dropped, and all meet again.
func (o *outage) survives(crash, restore func()) {
	o.t.Helper()
	events := o.g.listen()
	before := []int{o.terminal.recorded(), o.phone.recorded()}
	crash()
	for i, b := range []*baresip{o.terminal, o.phone} {
		b.heardSince(before[i], 425) // the tone that says so
	}
	restore()
	for i, b := range []*baresip{o.terminal, o.phone} {
		b.heardSince(before[i], 784) // and the one that it is over
	}
	o.meet()
	if now := callIDs(o.g); !slices.Equal(now, o.calls) {
		o.t.Errorf("calls are %v, were %v", now, o.calls)
	}
	for _, b := range []*baresip{o.terminal, o.phone} {
		if b.dropped() {
			o.t.Errorf("%s lost its call", b.name)
		}
	}
	events.await("sfu.lost")
	events.await("sfu.back")
}

// callIDs are the ids of all calls that are up.
func callIDs(g *gateway) []string {
	var ids []string
	for _, c := range g.calls() {
		if c.State == "active" {
			ids = append(ids, c.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// The embedded SFU crashes during a meeting, twice.
func TestEmbeddedSFUIsKilled(t *testing.T) {
	g := startGateway(t, "")
	o := beginOutage(t, g)
	for range 2 {
		child := g.sfuChild()
		o.survives(func() { kill(t, child) }, func() {
			eventually(t, 20*time.Second, "a new SFU runs", func() bool {
				pids := g.sfuChildren()
				return len(pids) == 1 && pids[0] != child
			})
		})
	}
	o.terminal.hangup()
	o.phone.hangup()
	g.noCalls()
}

// sfuChild is the process id of the embedded SFU.
func (g *gateway) sfuChild() int {
	g.t.Helper()
	var pids []int
	eventually(g.t, 10*time.Second, "the gateway has an SFU as its child", func() bool {
		pids = g.sfuChildren()
		return len(pids) == 1
	})
	return pids[0]
}

// sfuChildren are the children that are meeting servers; there may be video
// workers beside them.
func (g *gateway) sfuChildren() []int {
	return slices.DeleteFunc(childrenOf(g.cmd.Process.Pid), func(pid int) bool {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		arguments := strings.Split(string(line), "\x00")
		return err != nil || len(arguments) < 2 || arguments[1] != "sfu"
	})
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatalf("kill %d: %v", pid, err)
	}
}

// childrenOf are the living children of a process.
func childrenOf(parent int) []int {
	var pids []int
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // ended meanwhile
		}
		// pid (name) state ppid ...; the name may hold anything.
		_, rest, found := strings.Cut(string(data), ") ")
		fields := strings.Fields(rest)
		if !found || len(fields) < 2 || fields[0] == "Z" || fields[1] != strconv.Itoa(parent) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// recorded is how many samples were heard so far.
func (b *baresip) recorded() int {
	_, pcm := readWAV(b.t, b.heard())
	return len(pcm)
}

// heardSince waits until a tone was heard for a tenth of a second, at any time
// since a place in the recording.
func (b *baresip) heardSince(from int, hz float64) {
	b.t.Helper()
	eventually(b.t, 30*time.Second, fmt.Sprintf("%s has heard a short tone of %.0f Hz", b.name, hz), func() bool {
		rate, pcm := readWAV(b.t, b.heard())
		if len(pcm) <= from {
			return false
		}
		return heardTone(pcm[from:], rate, hz)
	})
}

// dropped reports whether baresip has lost or ended a call.
func (b *baresip) dropped() bool {
	text := b.text()
	return strings.Contains(text, "terminated (duration") || strings.Contains(text, "session closed")
}

// seesMore waits until another picture is decoded.
func (b *baresip) seesMore() {
	b.t.Helper()
	file := filepath.Join(b.dir, fmt.Sprintf("seen-%d.png", time.Now().UnixNano()))
	eventually(b.t, 20*time.Second, b.name+" decodes another picture", func() bool {
		b.command("snapshot_recv", file)
		info, err := os.Stat(file)
		return err == nil && info.Size() > 1000
	})
}

// A meeting is deleted while the SFU stands still: nobody waits for it for long, and the
// browser leaves when it goes on.
func TestDeletedWhileTheSFUStands(t *testing.T) {
	g := startGateway(t, "")
	g.makeMeeting(map[string]any{"alias": "88001"})
	web := joinMeeting(t, "88001", browserOptions{name: "Lan", still: true})
	child := g.sfuChild()
	if err := syscall.Kill(child, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	code, answer := g.request(http.MethodDelete, "/api/v1/meetings/88001", nil)
	if err := syscall.Kill(child, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if code != http.StatusNoContent {
		t.Fatalf("%d %s", code, answer)
	}
	web.run("leave", 30*time.Second, chromedp.WaitVisible(chromedp.CSS(`.over`)))
}
