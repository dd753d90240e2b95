package bridge

import (
	"fmt"
	"image"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/gateway/label"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
	"github.com/roomgate/roomgate/transcode/video"
)

// Colours of what is not a picture: 0xYYUUVV.
const (
	backdrop video.Colour = 0x1c8280
	empty    video.Colour = 0x288480 // a tile whose picture is on its way
)

// candidates is everything a screen could show. With people, those without a
// picture count, too.
func (b *Bridge) candidates(people bool) []layout.Candidate {
	var list []layout.Candidate
	seen := map[string]bool{}
	for _, s := range b.sources {
		if !b.counts(s) || !b.studio.knows(s.codec) {
			continue
		}
		seen[s.identity] = seen[s.identity] || s.role == media.Main
		list = append(list, layout.Candidate{
			ID: s.key, Identity: s.identity, Content: s.role == media.Content, Spoke: s.spoke, Joined: s.joined,
			Whole: s.role == media.Main && s.member != nil && s.member.unit.MCU,
		})
	}
	if !people {
		return list
	}
	add := func(identity string, joined uint64) {
		if !seen[identity] {
			list = append(list, layout.Candidate{ID: personKey + identity, Identity: identity, Spoke: b.spoke[identity], Joined: joined})
		}
	}
	for _, m := range b.members {
		add(m.identity, m.joined)
	}
	for identity := range b.roster {
		add(identity, b.arrived[identity])
	}
	return list
}

// personKey marks the tile of somebody who has no picture.
const personKey = "person "

// showsPeople reports whether a kind has tiles for those without a picture.
func showsPeople(k layout.Kind) bool { return k != layout.Auto && k != layout.Single }

// compose gives the track a leg is to be shown for a view, nil when there is
// none (yet).
func (b *Bridge) compose(m *Member, v layout.View, p *pass) media.Track {
	s := b.studio
	to := m.screen()
	scene := video.Scene{Width: to.Width, Height: to.Height, FPS: to.FPS, Background: backdrop}
	tiles := layout.Arrange(v.Kind, len(v.Shown))
	for i, id := range v.Shown[:len(tiles)] {
		rect := tiles[i].Pixels(to.Width, to.Height)
		tile := video.Tile{Rect: rect, Colour: empty}
		if src := b.sources[id]; src != nil {
			tile.Source = b.decode(src, rect, p)
		}
		scene.Tiles = append(scene.Tiles, tile)
		if len(tiles) > 1 || b.tellsWho(m, id) {
			b.decorate(&scene, id, rect, p.now)
		}
	}
	if len(tiles) == 0 {
		return nil
	}
	if len(tiles) == 1 {
		if scene.Follow = scene.Tiles[0].Source; scene.Follow == nil {
			return nil
		}
	}
	if len(tiles) > 1 || b.tellsWho(m, v.Shown[0]) {
		b.overlay(&scene, to, p.now)
		b.writeChat(&scene, to, m.reading(p.now), p.now)
	} else if m.reading(p.now) {
		b.writeChat(&scene, to, true, p.now)
	}
	key := m.boardKey(fmt.Sprintf("%s %dx%d@%g", v.Key, to.Width, to.Height, to.FPS), p.now)
	board := s.board(key, scene, p.now)
	if board == nil {
		return nil
	}
	o := s.output(board, media.Main, m.encoding(to), to.Bitrate, p.now)
	if o == nil {
		return nil
	}
	return m.share(o)
}

// tellsWho reports whether a picture that has all of a leg's screen, and is made for it, is
// written on as tiles are. Slides stay legible, an MCU writes on its picture itself, and
// what is sent to one is a part of its own screens.
func (b *Bridge) tellsWho(m *Member, id string) bool {
	src := b.sources[id]
	return src != nil && src.role == media.Main && !m.unit.MCU && (src.member == nil || !src.member.unit.MCU)
}

// decode opens the eye on a source; nil while its track is not there.
func (b *Bridge) decode(src *source, rect image.Rectangle, p *pass) *video.Source {
	class := high
	t := src.track
	if src.member == nil {
		if rect.Dy() <= lowHeight && b.feeds[low] != nil {
			class = low
		}
		p.watched.add(src.remoteID, class)
		f := b.feeds[class]
		if f == nil {
			return nil
		}
		remote := f.pictures[src.remoteID]
		if remote == nil {
			return nil
		}
		t = remote
	}
	return b.studio.lens(lensKey{src.key, class}, t, p.now)
}

// lowHeight is the height of a tile up to which the low layer will do.
const lowHeight = 270

// person is what is known of a participant.
func (b *Bridge) person(identity string) (name string, muted bool) {
	for _, m := range b.members {
		if m.identity == identity {
			return m.who().Name, m.isMuted()
		}
	}
	p := b.roster[identity]
	for _, t := range p.Tracks {
		if t.Role == media.Audio.String() && t.Muted {
			muted = true
		}
	}
	return p.Name, muted
}

// decorate writes a name into a tile, and initials where there is no picture.
func (b *Bridge) decorate(scene *video.Scene, id string, r image.Rectangle, now time.Time) {
	identity, alone := strings.CutPrefix(id, personKey)
	src := b.sources[id]
	if src != nil {
		identity = src.identity
	}
	text, muted := b.person(identity)
	if text == "" {
		return
	}
	if alone {
		if n := b.studio.name(nameKey{text: text, height: r.Dy() / 2 &^ 1, initials: true}, now); n != nil {
			w, h := n.Size()
			scene.Labels = append(scene.Labels, video.Label{Bitmap: n, At: image.Pt(r.Min.X+(r.Dx()-w)/2&^1, r.Min.Y+(r.Dy()-h)/2&^1)})
		}
	}
	share := 10
	if src != nil && src.role == media.Content {
		share = 24 // who presents is told, and the slide read
	}
	height := max(r.Dy()/share, 18) &^ 1
	n := b.studio.name(nameKey{text: text, height: height, width: r.Dx() - height, muted: muted}, now)
	if n == nil {
		return
	}
	_, h := n.Size()
	at := image.Pt(r.Min.X+height/4&^1, r.Max.Y-h-height/4&^1)
	scene.Labels = append(scene.Labels, video.Label{Bitmap: n, At: at})
}

// nameKey is what a label says and how large.
type nameKey struct {
	text          string
	height, width int
	muted         bool
	initials      bool
	line          bool // of a slate
	recording     bool // the mark of it
	bold          bool
}

type name struct {
	bitmap *video.Bitmap
	used   time.Time
}

// name gives a label, drawn once.
func (s *studio) name(k nameKey, now time.Time) *video.Bitmap {
	n := s.names[k]
	if n == nil {
		var drawn *label.Bitmap
		var err error
		switch {
		case k.initials:
			drawn, err = label.Initials(k.text, k.height)
		case k.recording:
			drawn, err = label.Recording(k.height)
		case k.line:
			weight := label.Regular
			if k.bold {
				weight = label.Bold
			}
			drawn, err = label.Line(k.text, k.height, k.width, weight)
		default:
			drawn, err = label.Name(k.text, k.height, k.width, k.muted)
		}
		if err != nil {
			s.bridge.log.Debug("a name cannot be written", zap.Error(err))
			return nil
		}
		bitmap, err := s.stage.Bitmap(drawn.Width, drawn.Height, drawn.Data)
		if err != nil {
			s.bridge.log.Debug("a name cannot be written", zap.Error(err))
			return nil
		}
		n = &name{bitmap: bitmap}
		s.names[k] = n
	}
	n.used = now
	return n.bitmap
}

// levelFor is the level that a screen needs (H.264 Table A-1).
func levelFor(s layout.Screen) uint32 {
	mbs := uint32((s.Width + 15) / 16 * ((s.Height + 15) / 16))
	for _, idc := range []uint32{10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40} {
		l, _ := h264.Limits(media.H264Format{ProfileLevelID: 0x42e000 | idc})
		if mbs <= l.FS && float64(mbs)*s.FPS <= float64(l.MBPS) && s.Bitrate <= int(l.BR)*1000 {
			return idc
		}
	}
	return 41
}
