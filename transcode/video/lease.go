package video

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A worker has its processor time on lease (RLIMIT_CPU): each answer of it renews the
// lease, and one that does not answer has so much left, whether its gateway finds the
// time to end it or not.
const leased = 2 * silence

// userHZ is the unit of times in /proc; 100 on every Linux we know.
const userHZ = 100

// renewLease lets a worker use all processors for a while longer.
func renewLease(pid int) error {
	used, err := usedTime(pid)
	if err != nil {
		return err
	}
	limit := used + leased*time.Duration(runtime.NumCPU())
	return unix.Prlimit(pid, unix.RLIMIT_CPU, &unix.Rlimit{Cur: uint64(limit/time.Second) + 1, Max: unix.RLIM_INFINITY}, nil)
}

// usedTime is the processor time a process has used.
func usedTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	const user, system = 11, 12 // of the fields behind the name
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) <= system {
		return 0, fmt.Errorf("/proc/%d/stat: %d fields", pid, len(fields))
	}
	var ticks int64
	for _, i := range []int{user, system} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / userHZ, nil
}
