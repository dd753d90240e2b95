package worker

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Bounds of the process. Processor time is bounded by the gateway, which renews it as
// long as the worker answers.
const (
	niceness    = 10
	memoryLimit = 1536 << 20 // of writable memory
	goMemory    = 256 << 20  // of that, what Go may hold before it collects harder
)

// niced is the argument that tells a worker that it has been made nice.
const niced = "--niced"

// beNice makes the process nice and starts it over: only then is every thread
// of it nice. It returns when that was done.
func beNice() error {
	if len(os.Args) > 1 && os.Args[1] == niced {
		return nil
	}
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, niceness); err != nil {
		return fmt.Errorf("nice: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// When memory runs out, pictures go before calls. Not every system lets us.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0)
	env := append(os.Environ(), "MALLOC_ARENA_MAX=2") // else memory is spread over an arena for each thread
	return syscall.Exec(self, []string{os.Args[0], niced}, env)
}

// exitProcessor is the exit code of a process whose processor time is used up.
const exitProcessor = 4

// obeyLease ends the process when its processor time is used up: the Go runtime would
// not.
func obeyLease() {
	over := make(chan os.Signal, 1)
	signal.Notify(over, syscall.SIGXCPU)
	go func() {
		<-over
		fmt.Fprintln(os.Stderr, "the processor time is used up")
		os.Exit(exitProcessor)
	}()
}

// confine gives up what the worker does not need. After it no file can be
// opened, no process started and no host reached.
func confine() error {
	debug.SetMemoryLimit(goMemory)
	for _, l := range []struct {
		name  string
		which int
		limit uint64
	}{
		{"memory", unix.RLIMIT_DATA, memoryLimit},
		{"core dumps", unix.RLIMIT_CORE, 0},
		{"file sizes", unix.RLIMIT_FSIZE, 0},
		{"open files", unix.RLIMIT_NOFILE, 0},
	} {
		if err := unix.Setrlimit(l.which, &unix.Rlimit{Cur: l.limit, Max: l.limit}); err != nil {
			return fmt.Errorf("limit of %s: %w", l.name, err)
		}
	}
	return filterSystemCalls()
}

// Offsets in struct seccomp_data.
const (
	offsetNumber   = 0
	offsetArch     = 4
	offsetArgument = 16 // low half of the first argument; little-endian
)

// filterSystemCalls lets all threads make the calls in allowed, lets those in
// refused fail, and ends the process at any other (seccomp(2)).
func filterSystemCalls() error {
	program := compile()
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&filter)))
	switch {
	case errno != 0:
		return fmt.Errorf("seccomp: %w", errno)
	case thread != 0:
		return errors.New("seccomp: a thread does not take the filter")
	}
	return nil
}

// compile writes the filter in the language of classic BPF.
func compile() []unix.SockFilter {
	var p []unix.SockFilter
	load := func(offset uint32) {
		p = append(p, unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset})
	}
	answer := func(a uint32) { p = append(p, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: a}) }
	// unless skips the next instructions when what was loaded is not v.
	unless := func(v uint32, skip uint8) {
		p = append(p, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: skip, K: v})
	}
	bits := func(v uint32, skip uint8) { // skips when none of the bits is set
		p = append(p, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, Jf: skip, K: v})
	}
	refuse := func(e syscall.Errno) { answer(unix.SECCOMP_RET_ERRNO | uint32(e)) }

	load(offsetArch)
	unless(auditArch, 1)
	p = append(p, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA, K: 1})
	answer(unix.SECCOMP_RET_KILL_PROCESS)
	load(offsetNumber)
	for _, n := range append(allowed, allowedHere...) {
		unless(n, 1)
		answer(unix.SECCOMP_RET_ALLOW)
	}
	for _, n := range append(refused, refusedHere...) {
		unless(n, 1)
		refuse(unix.EPERM)
	}
	// clone3 hides its flags in memory; the C library falls back to clone.
	unless(unix.SYS_CLONE3, 1)
	refuse(unix.ENOSYS)
	// clone may make threads, not processes.
	unless(unix.SYS_CLONE, 4)
	load(offsetArgument)
	bits(unix.CLONE_THREAD, 1)
	answer(unix.SECCOMP_RET_ALLOW)
	refuse(unix.EPERM)
	// Memory may not become code.
	for _, n := range []uint32{unix.SYS_MMAP, unix.SYS_MPROTECT} {
		unless(n, 4)
		load(offsetArgument + 2*8)
		bits(unix.PROT_EXEC, 1)
		refuse(unix.EPERM)
		answer(unix.SECCOMP_RET_ALLOW)
	}
	answer(unix.SECCOMP_RET_KILL_PROCESS)
	return p
}

// allowed is what the Go runtime and the C library need to compute, to wait,
// and to talk over sockets that are open.
var allowed = []uint32{
	unix.SYS_READ, unix.SYS_PREAD64, unix.SYS_WRITE, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_RECVMSG, unix.SYS_SENDMSG,
	unix.SYS_RECVFROM, unix.SYS_SENDTO, unix.SYS_CLOSE, unix.SYS_SHUTDOWN,
	unix.SYS_FUTEX, unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_MADVISE, unix.SYS_BRK,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_TGKILL,
	unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_RESTART_SYSCALL,
	unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_GETTIMEOFDAY, unix.SYS_GETRANDOM,
	unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_CTL,
	unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_GETCPU,
}

// refused is what libraries try and can do without.
var refused = []uint32{
	unix.SYS_OPENAT, unix.SYS_UNAME, unix.SYS_SYSINFO, unix.SYS_IOCTL, unix.SYS_FCNTL, unix.SYS_READLINKAT, unix.SYS_FSTAT,
	unix.SYS_PRCTL, unix.SYS_PRLIMIT64, unix.SYS_SCHED_SETAFFINITY, unix.SYS_SCHED_GETPARAM, unix.SYS_SCHED_GETSCHEDULER,
}
