package bridge

import (
	"fmt"
	"image"
	"slices"
	"time"

	"github.com/roomgate/roomgate/gateway/label"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode/video"
)

// A slate is what somebody reads who sees nobody: alone in a meeting, or in the lobby. It
// stands still, so that it costs next to nothing, and it is small.

// SetSlate changes what those read who see nobody.
func (b *Bridge) SetSlate(lines []string) {
	b.do(func() {
		if !slices.Equal(b.slate, lines) {
			b.slate = lines
			b.nudge()
		}
	})
}

const (
	slateMacroblocks = 920 // 640x360
	slateFPS         = 5
	slateAfter       = 2 * time.Second // somebody may come at once, or come back
	slateBitrate     = 256_000
	// A line holds so many letters, and there are so many lines.
	slateLetters = 44
	slateLines   = 8
)

// slateScreen is the screen of a slate for what a leg takes.
func slateScreen(l layout.Limits) layout.Screen {
	if l.Macroblocks == 0 || l.Macroblocks > slateMacroblocks {
		l.Macroblocks = slateMacroblocks
	}
	if l.FPS == 0 || l.FPS > slateFPS {
		l.FPS = slateFPS
	}
	to := l.Choose()
	to.Bitrate = min(to.Bitrate, slateBitrate)
	return to
}

// showSlate shows a leg the slate; false when there is none.
func (b *Bridge) showSlate(m *Member, p *pass) bool {
	if m.alone.IsZero() {
		m.alone = p.now
	}
	if len(b.slate) == 0 || m.unit.MCU || p.now.Sub(m.alone) < slateAfter || !b.studio.ready() {
		return false
	}
	to := slateScreen(m.limits())
	key := fmt.Sprintf("slate %dx%d@%g", to.Width, to.Height, to.FPS)
	scene := b.slateScene(to, p)
	b.writeChat(&scene, to, m.reading(p.now), p.now)
	board := b.studio.board(m.boardKey(key, p.now), scene, p.now)
	if board == nil {
		return false
	}
	o := b.studio.output(board, media.Main, m.encoding(to), to.Bitrate, p.now)
	if o == nil {
		return false
	}
	m.shown, m.view = nil, layout.View{}
	m.show(m.share(o))
	return true
}

// row is a line of a slate.
type row struct {
	text   string
	height int
	bold   bool
}

// slateRows breaks lines so that they fit a screen, the first one larger.
func slateRows(lines []string, height int) (rows []row, total int) {
	unit := max(height/12, 14) &^ 1
	for i, text := range lines {
		r := row{height: unit, bold: i == 0}
		if r.bold {
			r.height = unit * 3 / 2 &^ 1
		}
		for _, r.text = range label.Wrap(text, slateLetters*unit/r.height) {
			if len(rows) < slateLines && total+r.height <= height {
				rows = append(rows, r)
				total += r.height
			}
		}
	}
	return rows, total
}

// slateScene writes the lines in the middle of a screen.
func (b *Bridge) slateScene(to layout.Screen, p *pass) video.Scene {
	scene := video.Scene{Width: to.Width, Height: to.Height, FPS: to.FPS, Background: backdrop}
	rows, total := slateRows(b.slate, to.Height)
	at := (to.Height - total) / 2 &^ 1
	for _, r := range rows {
		if n := b.studio.name(nameKey{text: r.text, height: r.height, width: to.Width * 9 / 10, line: true, bold: r.bold}, p.now); n != nil {
			w, _ := n.Size()
			scene.Labels = append(scene.Labels, video.Label{Bitmap: n, At: image.Pt((to.Width-w)/2&^1, at)})
		}
		at += r.height
	}
	return scene
}
