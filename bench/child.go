package bench

import (
	"os/exec"
	"runtime"
	"syscall"
)

// spawn starts a child that ends with the benchmark, however that ends. done is
// closed when the child has ended.
func spawn(cmd *exec.Cmd) (done chan struct{}, err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	done = make(chan struct{})
	started := make(chan error)
	go func() {
		defer close(done)
		// The kernel sends the signal when the thread ends that started the
		// child (prctl(2)), so it has to stay.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // who started it asks why
		}
	}()
	return done, <-started
}
