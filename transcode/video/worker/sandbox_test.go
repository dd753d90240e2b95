package worker

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// attempts are what somebody would try who has taken the worker over.
var attempts = map[string]func() error{
	"nothing": func() error {
		done := make(chan int)
		for range 20 { // threads and memory are there to be had
			go func() {
				b := make([]byte, 1<<20)
				b[len(b)-1] = 1
				done <- len(b)
			}()
		}
		for range 20 {
			<-done
		}
		return nil
	},
	"open": func() error { _, err := os.Open("/etc/passwd"); return err },
	"code": func() error {
		_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE)
		return err
	},
	"run":    func() error { return syscall.Exec("/bin/true", []string{"true"}, nil) },
	"socket": func() error { _, err := net.Dial("udp", "127.0.0.1:9"); return err },
	"trace":  func() error { return syscall.PtraceAttach(1) },
	"burn": func() error {
		for i := 0; ; i++ {
			if i < 0 {
				return nil
			}
		}
	},
}

const attemptVariable = "ROOMGATE_TEST_ATTEMPT"

func TestMain(m *testing.M) {
	attempt := attempts[os.Getenv(attemptVariable)]
	if attempt == nil {
		os.Exit(m.Run())
	}
	_ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	obeyLease()
	if _, _, err := os.Pipe(); err != nil { // begins the runtime's poller, as the connection of a worker does
		panic(err)
	}
	_ = unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: 1, Max: unix.RLIM_INFINITY})
	if err := filterSystemCalls(); err != nil {
		fmt.Println("filter:", err)
		os.Exit(1)
	}
	fmt.Println("result:", attempt())
	os.Exit(0)
}

// Whoever uses up its processor time ends.
func TestProcessorTime(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), attemptVariable+"=burn")
	err := cmd.Run()
	var exit *exec.ExitError
	require.True(t, errors.As(err, &exit), "%v", err)
	assert.Equal(t, exitProcessor, exit.ExitCode(), "%v", err)
}

// Under the filter files do not open and memory does not become code; whoever
// starts a program or makes a socket is killed.
func TestFilter(t *testing.T) {
	for name, want := range map[string]string{
		"nothing": "result: <nil>\n",
		"open":    "result: open /etc/passwd: operation not permitted\n",
		"code":    "result: operation not permitted\n",
		"run":     "killed", "socket": "killed", "trace": "killed",
	} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), attemptVariable+"="+name)
		out, err := cmd.Output()
		if want == "killed" {
			var exit *exec.ExitError
			require.True(t, errors.As(err, &exit), "%s: %v %s", name, err, out)
			status, ok := exit.Sys().(syscall.WaitStatus)
			require.True(t, ok)
			assert.Equal(t, syscall.SIGSYS, status.Signal(), "%s: %v", name, err)
			continue
		}
		assert.NoError(t, err, name)
		assert.Equal(t, want, string(out), name)
	}
}
