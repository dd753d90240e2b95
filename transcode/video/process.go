package video

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/transcode/video/wire"
)

// process keeps one worker running and remembers what it was told.
type process struct {
	program string
	log     *zap.Logger
	out     outbox
	stop    chan struct{}
	ended   chan struct{}
	stages  int // guarded by Pool.mu

	mu       sync.Mutex
	next     uint32
	objects  map[uint32]object
	order    []uint32 // in which objects were made
	up       bool
	running  *exec.Cmd
	can      Abilities
	known    chan struct{} // closed when can is known
	restarts int
	load     wire.Load // of the process that runs
	past     wire.Load // of those before
	heard    time.Time
}

// object is something that lives in a worker.
type object interface {
	// restore tells a new process what the object is. It is called with the
	// process locked and takes no lock that is held while the process is called.
	restore(p *process)
	// restored follows it without the lock.
	restored()
	// receive takes a message about the object; body is valid until it returns.
	receive(m wire.Message)
}

func newProcess(program string, log *zap.Logger) *process {
	p := &process{
		program: program, log: log, stop: make(chan struct{}), ended: make(chan struct{}),
		objects: map[uint32]object{}, known: make(chan struct{}),
	}
	p.out.init()
	go p.run()
	return p
}

// Restarts come at once, then slower when the process does not live.
const (
	firstRestart = 50 * time.Millisecond
	lastRestart  = 5 * time.Second
	livesAfter   = 10 * time.Second
)

// run keeps a worker running until close.
func (p *process) run() {
	defer close(p.ended)
	wait := firstRestart
	for {
		began := time.Now()
		err := p.runOnce()
		select {
		case <-p.stop:
			return
		default:
		}
		if time.Since(began) > livesAfter {
			wait = firstRestart
		}
		p.log.Error("the video worker ended; starting another", zap.Error(err), zap.Duration("in", wait))
		select {
		case <-p.stop:
			return
		case <-time.After(wait):
		}
		wait = min(4*wait, lastRestart)
		p.mu.Lock()
		p.restarts++
		p.mu.Unlock()
	}
}

// runOnce starts a worker and serves it until it ends.
func (p *process) runOnce() error {
	conn, cmd, err := start(p.program)
	if err != nil {
		return err
	}
	defer conn.Close()
	p.out.reset()
	p.mu.Lock()
	p.running, p.heard = cmd, time.Now()
	p.mu.Unlock()
	p.log.Info("video worker started", zap.Int("pid", cmd.Process.Pid))

	stopping := make(chan struct{})
	var helpers sync.WaitGroup
	helpers.Go(func() {
		p.out.drain(conn)
		_ = conn.Close() // the reader sees the end
	})
	helpers.Go(func() { p.guard(cmd, conn, stopping) })
	readErr := p.read(conn)
	p.down()
	close(stopping)
	p.out.close()
	helpers.Wait()
	if err := end(cmd); err != nil {
		return err
	}
	return readErr
}

// start runs the program with one end of a socketpair as its descriptor 3.
func start(program string) (net.Conn, *exec.Cmd, error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "worker"), os.NewFile(uintptr(pair[1]), "gateway")
	defer ours.Close()
	defer theirs.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, nil, err
	}
	if u, ok := conn.(*net.UnixConn); ok { // room for a few frames; the kernel may allow less
		_ = u.SetWriteBuffer(1 << 20)
		_ = u.SetReadBuffer(1 << 20)
	}
	cmd := exec.Command(program)
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stderr = os.Stderr
	cmd.Env = []string{"GOTRACEBACK=single", "LD_LIBRARY_PATH=" + os.Getenv("LD_LIBRARY_PATH")} // no secrets
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}                                       // a Ctrl-C in our terminal is for us
	if err := cmd.Start(); err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, cmd, nil
}

// end waits for a worker whose connection is closed; one that stays is killed.
func end(cmd *exec.Cmd) error {
	killer := time.AfterFunc(time.Second, func() { _ = cmd.Process.Kill() })
	defer killer.Stop()
	return cmd.Wait()
}

// A worker that says nothing for silence is dead.
const (
	pingInterval = 500 * time.Millisecond
	silence      = 4 * time.Second
)

// guard asks whether the worker lives, and ends it when it does not.
func (p *process) guard(cmd *exec.Cmd, conn net.Conn, stopping <-chan struct{}) {
	tick := time.NewTicker(pingInterval)
	defer tick.Stop()
	var renewed time.Time
	for n := uint32(1); ; n++ {
		select {
		case <-stopping:
			return
		case <-p.stop:
			_ = conn.Close()
			return
		case now := <-tick.C:
			p.mu.Lock()
			heard := p.heard
			p.mu.Unlock()
			silent := now.Sub(heard)
			if silent > silence {
				p.log.Error("the video worker does not answer", zap.Duration("for", silent))
				_ = cmd.Process.Kill()
				return
			}
			if heard.After(renewed) {
				renewed = heard
				if err := renewLease(cmd.Process.Pid); err != nil {
					p.log.Debug("the processor time of the video worker is not bounded", zap.Error(err))
				}
			}
			p.out.put(wire.Ping, n, nil)
		}
	}
}

// read takes what the worker says until the connection ends.
func (p *process) read(conn net.Conn) error {
	in := wire.NewReader(bufio.NewReaderSize(conn, 1<<18), 0)
	for {
		m, err := in.Read()
		if err != nil {
			return err
		}
		p.mu.Lock()
		p.heard = time.Now()
		to := p.objects[m.Object]
		p.mu.Unlock()
		switch m.Kind {
		case wire.Hello:
			if err := p.hello(m); err != nil {
				return err
			}
		case wire.Pong:
			if load, err := wire.ReadLoad(m.Body); err == nil {
				p.mu.Lock()
				p.load = load
				p.mu.Unlock()
			}
		case wire.Failed:
			if f, err := wire.ReadFailure(m.Body); err == nil {
				p.log.Warn("the video worker refuses", zap.Uint8("message", uint8(f.Of)), zap.String("reason", f.Text))
			}
			if to != nil {
				to.receive(m)
			}
		default:
			if to != nil {
				to.receive(m)
			}
		}
	}
}

// hello opens the doors: everything there is is told to the new worker.
func (p *process) hello(m wire.Message) error {
	if m.Object != wire.Version {
		return fmt.Errorf("video: the worker speaks version %d, not %d", m.Object, wire.Version)
	}
	a, err := wire.ReadAbilities(m.Body)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.can = Abilities{a.Decodes, a.Encodes}
	select {
	case <-p.known:
	default:
		close(p.known)
	}
	p.up = true
	objects := make([]object, 0, len(p.order))
	for _, id := range p.order {
		objects = append(objects, p.objects[id])
	}
	// Under the lock, so that nothing new is told before what it builds on.
	for _, o := range objects {
		o.restore(p)
	}
	p.mu.Unlock()
	for _, o := range objects {
		o.restored()
	}
	return nil
}

// down notes that the worker is gone.
func (p *process) down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.up, p.running = false, nil
	p.past.Frames += p.load.Frames
	p.past.Busy += p.load.Busy
	p.load = wire.Load{}
}

// add gives an object its number; it is restored at once when a worker is up.
func (p *process) add(assign func(id uint32) object) {
	p.mu.Lock()
	p.next++
	id := p.next
	o := assign(id)
	p.objects[id] = o
	p.order = append(p.order, id)
	up := p.up
	if up {
		o.restore(p)
	}
	p.mu.Unlock()
	if up {
		o.restored()
	}
}

// remove forgets an object; kind tells the worker.
func (p *process) remove(id uint32, kind wire.Kind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.objects[id] == nil {
		return
	}
	delete(p.objects, id)
	for i, o := range p.order {
		if o == id {
			p.order = append(p.order[:i], p.order[i+1:]...)
			break
		}
	}
	if p.up {
		p.out.put(kind, id, nil)
	}
}

// tell sends a message when a worker is up; otherwise restore says it all.
func (p *process) tell(kind wire.Kind, id uint32, body func([]byte) []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.up && p.objects[id] != nil {
		p.out.put(kind, id, body)
	}
}

func (p *process) abilities(within time.Duration) (Abilities, error) {
	select {
	case <-p.known:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.can, nil
	case <-p.ended:
		return Abilities{}, ErrClosed
	case <-time.After(within):
		return Abilities{}, errSilent
	}
}

func (p *process) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == nil {
		return 0
	}
	return p.running.Process.Pid
}

func (p *process) addTo(s *Stats) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.objects {
		if _, is := o.(*Output); is {
			s.Encoders++
		}
	}
	s.Restarts += p.restarts
	s.Frames += uint64(p.load.Frames) + uint64(p.past.Frames)
	s.Busy += time.Duration(p.load.Busy+p.past.Busy) * time.Microsecond
}

func (p *process) close() {
	close(p.stop)
	<-p.ended
}
