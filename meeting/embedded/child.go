package embedded

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// child is one run of the server process.
type child struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{} // closed when the process was waited for
	err   error         // how it ended; valid after ended
}

// spawn starts the process, hands it its settings, and collects its logs.
func spawn(c Config, log *zap.Logger) (*child, error) {
	settings, err := json.Marshal(c.settings())
	if err != nil {
		return nil, fmt.Errorf("embedded sfu: settings: %w", err)
	}
	cmd := exec.Command(c.Command[0], c.Command[1:]...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, c.Env...)
	// A terminal's interrupt is for the gateway alone, which lets calls end
	// first; and a gateway that is killed must not leave its server behind.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("embedded sfu: %w", err)
	}
	logs := &logWriter{log: log}
	cmd.Stderr, cmd.Stdout = logs, logs
	ch := &child{cmd: cmd, stdin: stdin, ended: make(chan struct{})}
	started := make(chan error)
	go ch.run(started, logs)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("embedded sfu: %w", err)
	}
	if _, err := stdin.Write(append(settings, '\n')); err != nil {
		return nil, fmt.Errorf("embedded sfu: settings: %w (%w)", err, ch.kill())
	}
	return ch, nil
}

// run starts the process and waits for it on one thread that lives as long:
// the kernel sends the parent-death signal when the starting thread ends.
func (c *child) run(started chan<- error, logs *logWriter) {
	defer close(c.ended)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	c.err = c.cmd.Wait()
	logs.flush()
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// end closes the child's input, which asks it to stop, and kills it when it
// does not within grace.
func (c *child) end(grace time.Duration) error {
	_ = c.stdin.Close()
	select {
	case <-c.ended:
		return nil
	case <-time.After(grace):
		return c.kill()
	}
}

// kill ends the child now, and returns how it ended.
func (c *child) kill() error {
	_ = c.stdin.Close()
	_ = c.cmd.Process.Kill()
	<-c.ended
	if c.err != nil {
		return fmt.Errorf("child: %w", c.err)
	}
	return nil
}
