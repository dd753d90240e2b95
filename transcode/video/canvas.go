package video

import (
	"fmt"
	"sync"

	"github.com/roomgate/roomgate/transcode/video/wire"
)

// Canvas is a scene that is drawn for any number of outputs.
type Canvas struct {
	process *process
	id      uint32

	mu    sync.Mutex
	scene Scene
}

// Canvas makes a canvas. Close it after its outputs.
func (s *Stage) Canvas(scene Scene) (*Canvas, error) {
	if err := scene.check(); err != nil {
		return nil, err
	}
	c := &Canvas{process: s.process, scene: scene}
	s.process.add(func(id uint32) object {
		c.id = id
		return c
	})
	return c, nil
}

// Show changes what is drawn; the size stays.
func (c *Canvas) Show(scene Scene) error {
	if err := scene.check(); err != nil {
		return err
	}
	c.mu.Lock()
	if scene.Width != c.scene.Width || scene.Height != c.scene.Height {
		c.mu.Unlock()
		return fmt.Errorf("video: a canvas of %dx%d cannot become %dx%d", c.scene.Width, c.scene.Height, scene.Width, scene.Height)
	}
	c.scene = scene
	w := scene.wire()
	c.mu.Unlock()
	c.process.tell(wire.Canvas, c.id, w.Append)
	return nil
}

// Scene is what is drawn.
func (c *Canvas) Scene() Scene {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.scene
}

// restore implements object.
func (c *Canvas) restore(p *process) {
	c.mu.Lock()
	w := c.scene.wire()
	c.mu.Unlock()
	p.out.put(wire.Canvas, c.id, w.Append)
}

func (c *Canvas) restored() {}

func (c *Canvas) receive(wire.Message) {}

// Close forgets the canvas.
func (c *Canvas) Close() { c.process.remove(c.id, wire.CloseCanvas) }

// Bitmap is a small picture with transparency that lies over tiles.
type Bitmap struct {
	process       *process
	id            uint32
	width, height int
	data          []byte
}

// Bitmap uploads planes Y, U, V of I420 and alpha of full size; width and
// height are even. Close it when no scene shows it any more.
func (s *Stage) Bitmap(width, height int, data []byte) (*Bitmap, error) {
	if width < 2 || height < 2 || width%2 != 0 || height%2 != 0 || len(data) != width*height*5/2 {
		return nil, fmt.Errorf("video: bitmap of %dx%d with %d bytes", width, height, len(data))
	}
	b := &Bitmap{process: s.process, width: width, height: height, data: data}
	s.process.add(func(id uint32) object {
		b.id = id
		return b
	})
	return b, nil
}

// Size is in pixels.
func (b *Bitmap) Size() (width, height int) { return b.width, b.height }

// restore implements object.
func (b *Bitmap) restore(p *process) {
	i := wire.Image{Width: b.width, Height: b.height, Data: b.data}
	p.out.put(wire.Bitmap, b.id, i.AppendBitmap)
}

func (b *Bitmap) restored() {}

func (b *Bitmap) receive(wire.Message) {}

// Close forgets the bitmap.
func (b *Bitmap) Close() { b.process.remove(b.id, wire.DropBitmap) }
