package bench

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is a process id whose use of the machine is read from /proc.
type process int

// self is the benchmark's own process: the load.
func self() process { return process(os.Getpid()) }

var errProc = errors.New("no usage in /proc; the benchmark needs Linux")

// cpu is the processor time used so far. The kernel scales user and system time
// so that their sum is the exact run time, in steps of 10 ms.
func (p process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errProc, err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errProc
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux we know
	return time.Duration(user+system) * tick, nil
}

// memory is what the process holds in RAM, in bytes: the resident set, and the
// share of it that is its own (PSS).
func (p process) memory() (rss, pss int64, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", p))
	if err != nil {
		return 0, 0, fmt.Errorf("%w: %w", errProc, err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		kib, _ := strconv.ParseInt(words[1], 10, 64)
		switch words[0] {
		case "Rss:":
			rss = kib << 10
		case "Pss:":
			pss = kib << 10
		}
	}
	return rss, pss, lines.Err()
}

// child is the first child of the process, 0 when it has none.
func (p process) child() process {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p))
	for _, list := range lists {
		text, _ := os.ReadFile(list) // the thread may have ended
		for _, word := range strings.Fields(string(text)) {
			if id, err := strconv.Atoi(word); err == nil {
				return process(id)
			}
		}
	}
	return 0
}

// named are the children of the process that run a program.
func (p process) named(program string) (list []process) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p))
	for _, name := range lists {
		text, _ := os.ReadFile(name) // the thread may have ended
		for _, word := range strings.Fields(string(text)) {
			comm, _ := os.ReadFile("/proc/" + word + "/comm")
			if id, err := strconv.Atoi(word); err == nil && strings.TrimSpace(string(comm)) == program {
				list = append(list, process(id))
			}
		}
	}
	return list
}

// usage is the processor time of a window, in cores.
type usage struct {
	gateway, sfu, load, machine float64 // machine: of all cores, by anybody
	lasted                      time.Duration
}

// meter measures windows of time.
type meter struct {
	of    []process
	began time.Time
	cpu   []time.Duration
	busy  time.Duration
}

// watch begins a window.
func watch(g *gateway) (*meter, error) {
	m := &meter{of: []process{g.self, g.sfu, self()}, began: time.Now(), busy: machineBusy()}
	for _, p := range m.of {
		used, err := p.cpu()
		if err != nil {
			return nil, err
		}
		m.cpu = append(m.cpu, used)
	}
	return m, nil
}

// read ends the window.
func (m *meter) read() (usage, error) {
	elapsed := time.Since(m.began)
	cores := make([]float64, len(m.of))
	for i, p := range m.of {
		used, err := p.cpu()
		if err != nil {
			return usage{}, err
		}
		cores[i] = (used - m.cpu[i]).Seconds() / elapsed.Seconds()
	}
	all := (machineBusy() - m.busy).Seconds() / elapsed.Seconds()
	return usage{gateway: cores[0], sfu: cores[1], load: cores[2], machine: all, lasted: elapsed}, nil
}

// machineBusy is the processor time that all cores have spent on anything.
func machineBusy() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	var busy int64
	for i, word := range strings.Fields(first)[1:] {
		n, _ := strconv.ParseInt(word, 10, 64)
		if i != 3 && i != 4 && i < 8 { // idle, iowait; guests are counted as user
			busy += n
		}
	}
	return time.Duration(busy) * 10 * time.Millisecond
}
