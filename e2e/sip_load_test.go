package e2e

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// holdings are what a process has of the system.
type holdings struct {
	goroutines, files, sockets int
	memory                     int            // resident, MB
	kinds                      map[string]int // of files: databases and so on; of sockets by where they lead
}

// holdings of the gateway; sockets are those of media.
func (g *gateway) holdings() (h holdings) {
	g.t.Helper()
	_, metrics := g.get("/metrics")
	if m := regexp.MustCompile(`(?m)^go_goroutines (\d+)$`).FindSubmatch(metrics); m != nil {
		h.goroutines, _ = strconv.Atoi(string(m[1]))
	}
	pid := g.cmd.Process.Pid
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil || h.goroutines == 0 {
		g.t.Fatalf("holdings: %d goroutines, files: %v", h.goroutines, err)
	}
	h.files = len(files)
	h.kinds = map[string]int{}
	ways := socketsOf(pid)
	for _, f := range files {
		to, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, f.Name()))
		kind, rest, _ := strings.Cut(to, ":")
		if kind == "socket" {
			kind = cmp.Or(ways[strings.Trim(rest, "[]")], "another socket")
		}
		h.kinds[kind]++
	}
	for _, name := range []string{"udp", "udp6"} {
		table, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, name))
		for line := range strings.Lines(string(table)) {
			if f := strings.Fields(line); len(f) > 1 {
				_, hex, _ := strings.Cut(f[1], ":")
				if port, err := strconv.ParseUint(hex, 16, 16); err == nil && port >= 20000 && port < 30000 {
					h.sockets++
				}
			}
		}
	}
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status); m != nil {
		kb, _ := strconv.Atoi(string(m[1]))
		h.memory = kb / 1024
	}
	return h
}

// socketsOf tells by inode what the sockets of a process's network are: the protocol, the port
// of ours that peers reach, or else the port of theirs, and the state, as the kernel writes them.
func socketsOf(pid int) map[string]string {
	ways := map[string]string{}
	for _, name := range []string{"tcp", "tcp6", "udp", "udp6"} {
		table, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, name))
		for line := range strings.Lines(string(table)) {
			f := strings.Fields(line)
			if len(f) < 10 || f[9] == "inode" {
				continue
			}
			local, _ := strconv.ParseUint(f[1][strings.LastIndex(f[1], ":")+1:], 16, 16)
			remote, _ := strconv.ParseUint(f[2][strings.LastIndex(f[2], ":")+1:], 16, 16)
			way := fmt.Sprintf("%s to port %d, state %s", name, remote, f[3])
			if remote == 0 || remote >= 32768 {
				way = fmt.Sprintf("%s at port %d, state %s", name, local, f[3])
			}
			ways[f[9]] = way
		}
	}
	return ways
}

// shortCalls makes calls of sipp, each to a meeting of its own, forty a second.
func (g *gateway) shortCalls(calls int) {
	g.t.Helper()
	s := startSipp(g.t, "short", peerIP, "-t", "u1", "-m", strconv.Itoa(calls), "-r", "40", "-l", "60", "-timeout", "120s")
	if err := s.wait(120 * time.Second); err != nil {
		logs, _ := os.ReadFile(s.cmd.Dir + "/errors.log")
		g.t.Fatalf("%d calls: %v\n%s", calls, err, logs[:min(len(logs), 4000)])
	}
	eventually(g.t, 15*time.Second, "the short calls have ended", func() bool {
		return !slices.ContainsFunc(g.calls(), func(c apiCall) bool { return strings.HasPrefix(c.Called, "short-") })
	})
}

// A thousand calls, each with a meeting of its own, leave goroutines, files,
// ports and memory where they were.
func TestThousandCallsLeaveNothing(t *testing.T) {
	t.Setenv("GOGC", "100")
	g := startGatewayOn(t, strings.Replace(baseConfig, "level: debug", "level: warn", 1)+"limits: {per_source: 2000}\n")
	g.shortCalls(200) // what is opened once stays open
	var before, after holdings
	eventually(t, 60*time.Second, "the first calls have gone", func() bool {
		before = g.holdings()
		return before.sockets == 0
	})
	g.shortCalls(1000)
	defer func() { t.Logf("before %+v, after %+v", before, after) }()
	// Connections to the meeting server may idle for a minute and a half.
	eventually(t, 120*time.Second, "a thousand calls have gone", func() bool {
		after = g.holdings()
		return after.sockets == 0 && after.goroutines <= before.goroutines+5 && after.files <= before.files+5
	})
	// What is free goes back to the system within the two minutes after which Go collects anyway.
	eventually(t, 150*time.Second, "their memory has gone", func() bool {
		after = g.holdings()
		return after.memory <= before.memory+30
	})
	if code, body := g.get("/metrics"); code != 200 || !regexp.MustCompile(`(?m)^roomgate_calls_total.* 1200$`).Match(body) {
		t.Errorf("not 1200 calls: %s", regexp.MustCompile(`(?m)^roomgate_calls_total.*$`).Find(body))
	}
}
