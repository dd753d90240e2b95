package terminal

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/frame"
	"github.com/roomgate/roomgate/media/testcard"
	"github.com/roomgate/roomgate/transcode/video"
)

// glance measures video of codecs other than H.264. A picture counts when it is
// whole and can be decoded.
type glance struct {
	needKeyframe func()

	mu            sync.Mutex
	codec         media.Codec
	frames        *frame.Assembler
	now           time.Time
	broken        bool
	width, height int
	count, keys   int
	first, last   time.Time
	pace          pace
}

func newGlance(f media.Format) (*glance, error) {
	g := &glance{codec: f.Codec, needKeyframe: func() {}}
	var err error
	g.frames, err = frame.NewAssembler(f, g.whole, func() { g.broken = true })
	return g, err
}

func (g *glance) ask(needKeyframe func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.needKeyframe = needKeyframe
}

// WriteRTP implements media.Writer.
func (g *glance) WriteRTP(p *rtp.Packet) error {
	g.mu.Lock()
	g.now, g.broken = time.Now(), false
	g.pace.packet(len(p.Payload), g.now)
	_ = g.frames.WriteRTP(p) // its error is always nil
	ask := g.needKeyframe
	if !g.broken {
		ask = func() {}
	}
	g.mu.Unlock()
	ask()
	return nil
}

func (g *glance) whole(f frame.Frame) {
	if f.Damaged {
		return
	}
	if w, h, ok := frame.Size(g.codec, f.Data); ok {
		g.width, g.height = w, h
	}
	g.count++
	if f.Keyframe && !g.codec.Is(string(media.H261)) {
		g.keys++
	}
	g.pace.picture(f.Keyframe, g.width, g.height, g.now)
	if g.first.IsZero() {
		g.first = g.now
	}
	g.last = g.now
}

func (g *glance) seen() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.count
}

func (g *glance) report(answer time.Time) (*VideoReport, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := &VideoReport{
		Codec: string(g.codec), Width: g.width, Height: g.height, Frames: g.count, Keyframes: g.keys,
		Lost: g.frames.Stats().Lost, FirstMS: -1, Tiles: []Tile{},
	}
	if !g.first.IsZero() {
		r.FirstMS = max(g.first.Sub(answer).Milliseconds(), 0)
	}
	if span := g.last.Sub(g.first).Seconds(); span > 0 {
		r.FPS = round(float64(g.count-1) / span)
	}
	g.pace.report(r)
	return r, nil
}

// reader decodes what is seen and reads the test cards on it.
type reader struct {
	source *video.Source
	lips   atomic.Pointer[lips]

	mu     sync.Mutex
	tiles  []Tile // of the last picture among those that showed the most cards
	fresh  map[int]int
	number map[int]int // counter last read, by identity
	pages  PageReport
	page   int // counter last read
}

// Views are of this size, whatever is seen.
const viewWidth, viewHeight = 640, 360

func newReader(stage *video.Stage, t media.Track) (*reader, error) {
	source, err := stage.Open(t)
	if err != nil {
		return nil, err
	}
	r := &reader{source: source, fresh: map[int]int{}, number: map[int]int{}}
	if t.Role() != media.Content {
		source.View(viewWidth, viewHeight, true, r.look)
		return r, nil
	}
	source.OnSize(func(w, h int) { source.View(w, h, false, r.peruse) })
	return r, nil
}

// peruse reads content at its own size; the next one when it is done with this.
func (r *reader) peruse(i video.Image) {
	page, is := testcard.ReadPage(i.Data, i.Width, i.Height)
	if w, h := r.source.Size(); is && w == i.Width && h == i.Height {
		r.note(page, w, h)
	}
	r.look(i)
	r.source.View(i.Width, i.Height, false, r.peruse)
}

func (r *reader) note(page testcard.Page, width, height int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &r.pages
	if p.Read > 0 && page.Identity == p.Identity && page.Counter == r.page {
		return // the same again
	}
	if page.Identity != p.Identity {
		p.Read, p.Legible = 0, 0
	}
	r.page = page.Counter
	p.Read++
	if page.Legible() {
		p.Legible++
	}
	p.Identity, p.Width, p.Height, p.Text = page.Identity, width, height, page.Text
	p.Letters = round(100 * float64(page.Right) / float64(max(page.Letters, 1)))
}

// perused is what was read of pages; nil: there were none.
func (r *reader) perused() *PageReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pages.Read == 0 {
		return nil
	}
	p := r.pages
	return &p
}

func (r *reader) look(i video.Image) {
	w, h := r.source.Size()
	seen := testcard.Read(i.Data, i.Width, i.Height)
	r.mu.Lock()
	defer r.mu.Unlock()
	tiles := make([]Tile, 0, len(seen))
	for _, s := range seen {
		if last, known := r.number[s.Identity]; !known || last != s.Counter {
			r.fresh[s.Identity]++
		}
		r.number[s.Identity] = s.Counter
		if l := r.lips.Load(); l != nil {
			l.see(s.Card, i.Timestamp, r.source.Track())
		}
		tiles = append(tiles, Tile{
			X: s.Rect.Min.X * w / i.Width, Y: s.Rect.Min.Y * h / i.Height,
			Width: s.Rect.Dx() * w / i.Width, Height: s.Rect.Dy() * h / i.Height,
			Identity: s.Identity, Frames: r.fresh[s.Identity],
		})
	}
	if len(tiles) >= len(r.tiles) {
		r.tiles = tiles
	}
}

// counted is how many pictures of each card were seen.
func (r *reader) counted() map[int]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.fresh)
}

// read is where cards were, and how many of each were seen since.
func (r *reader) read() []Tile {
	r.mu.Lock()
	defer r.mu.Unlock()
	tiles := append([]Tile{}, r.tiles...)
	for i := range tiles {
		tiles[i].Frames = r.fresh[tiles[i].Identity]
	}
	return tiles
}
