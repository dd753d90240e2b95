package e2e

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program a test started: its output is kept, and it is stopped
// by its own pid when the test ends.
type process struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	done chan struct{}

	mu     sync.Mutex
	output bytes.Buffer
	err    error
}

// start runs a program. Its output goes to the test's log when the test fails.
func start(t *testing.T, name string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, name: name, cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p, p
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in = in
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			p.keepLog()
		}
	})
	return p
}

// during lets the failures of processes be those of a subtest while it runs.
func during(t *testing.T, running ...*process) {
	for _, p := range running {
		outer := p.t
		p.t = t
		t.Cleanup(func() { p.t = outer })
	}
}

// Write implements io.Writer for the program's output.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(b)
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// keepLog shows the end of the output, and keeps all of it in E2E_LOGS.
func (p *process) keepLog() {
	text := p.text()
	if dir := os.Getenv("E2E_LOGS"); dir != "" {
		name := filepath.Join(dir, filepath.Base(p.t.Name())+"-"+p.name+".log")
		_ = os.WriteFile(name, []byte(text), 0o644)
	}
	if len(text) > 6000 {
		text = "..." + text[len(text)-6000:]
	}
	p.t.Logf("---- output of %s:\n%s", p.name, text)
}

// stop asks the program to end, and kills it when it does not.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// kill ends the program without warning.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// wait returns when the program has ended by itself.
func (p *process) wait(timeout time.Duration) error {
	p.t.Helper()
	select {
	case <-p.done:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.err
	case <-time.After(timeout):
		p.t.Fatalf("%s has not ended after %s", p.name, timeout)
		return nil
	}
}

// eventually polls until ok, or fails the test saying what was awaited.
func eventually(t *testing.T, timeout time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(timeout)
	// Who waits for long looks less often: a look at a browser's statistics costs it milliseconds.
	for pause := 40 * time.Millisecond; !ok(); pause = min(pause*5/4, 300*time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", timeout, what)
		}
		<-time.After(pause)
	}
}
