package video

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media"
)

// Config is what a Pool needs.
type Config struct {
	// Program is the worker's executable. It may come later: it is looked for
	// whenever it is needed.
	Program string
	// Processes is how many there may be; 0 = as the machine has processors,
	// four at most.
	Processes int
	Logger    *zap.Logger
}

// mostProcesses bounds the default: each takes memory of its own.
const mostProcesses = 4

// Pool is the worker processes of a node. They start when they are needed.
type Pool struct {
	in  Config
	log *zap.Logger

	mu        sync.Mutex
	processes []*process
	closed    bool
}

// NewPool makes a pool; Close ends it.
func NewPool(in Config) *Pool {
	if in.Processes <= 0 {
		in.Processes = min(runtime.NumCPU(), mostProcesses)
	}
	if in.Logger == nil {
		in.Logger = zap.NewNop()
	}
	return &Pool{in: in, log: in.Logger.Named("video")}
}

// Available says why there is no video worker, nil when there is one.
func (p *Pool) Available() error {
	if p.in.Program == "" {
		return ErrNoWorker
	}
	info, err := os.Stat(p.in.Program)
	if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("%w: %s is not an executable", ErrNoWorker, p.in.Program)
	}
	return nil
}

// Abilities is what a worker can do.
type Abilities struct{ decodes, encodes uint8 }

// Decodes reports whether pictures of a codec can be taken.
func (a Abilities) Decodes(c media.Codec) bool { return has(a.decodes, codecNumber(c)) }

// Encodes reports whether pictures of a codec can be made.
func (a Abilities) Encodes(c media.Codec) bool { return has(a.encodes, codecNumber(c)) }

// Probe starts a worker where none runs and asks what it can do.
func (p *Pool) Probe() (Abilities, error) {
	s, err := p.Stage()
	if err != nil {
		return Abilities{}, err
	}
	defer s.Close()
	return s.process.abilities(startTimeout)
}

// startTimeout is how long a process may take to say hello.
const startTimeout = 10 * time.Second

// Stage makes a place for the pictures of a meeting, on the process that has
// the fewest. Close it.
func (p *Pool) Stage() (*Stage, error) {
	if err := p.Available(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	var best *process
	for _, c := range p.processes {
		if best == nil || c.stages < best.stages {
			best = c
		}
	}
	if best == nil || best.stages > 0 && len(p.processes) < p.in.Processes {
		best = newProcess(p.in.Program, p.log)
		p.processes = append(p.processes, best)
	}
	best.stages++
	return &Stage{pool: p, process: best}, nil
}

// Stats is how the pool does.
type Stats struct {
	Processes int
	Stages    int
	Encoders  int           // open now
	Restarts  int           // of processes that died
	Frames    uint64        // decoded, drawn and encoded
	Busy      time.Duration // of all processors
}

// Stats counts since the start.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{Processes: len(p.processes)}
	for _, c := range p.processes {
		s.Stages += c.stages
		c.addTo(&s)
	}
	return s
}

// Processes lists the process identifiers of those that run.
func (p *Pool) Processes() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []int
	for _, c := range p.processes {
		if pid := c.pid(); pid > 0 {
			list = append(list, pid)
		}
	}
	return list
}

// Close ends all processes and waits.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	all := p.processes
	p.processes = nil
	p.mu.Unlock()
	for _, c := range all {
		c.close()
	}
	return nil
}

// Stage is the pictures of one meeting.
type Stage struct {
	pool    *Pool
	process *process
	once    sync.Once
}

// Close gives the place back. What was opened on the stage is closed first, by
// whoever opened it.
func (s *Stage) Close() {
	s.once.Do(func() {
		s.pool.mu.Lock()
		defer s.pool.mu.Unlock()
		s.process.stages--
	})
}

// Abilities is what can be decoded and encoded; it waits for the worker.
func (s *Stage) Abilities() (Abilities, error) { return s.process.abilities(startTimeout) }

var errSilent = errors.New("video: the worker does not answer")
