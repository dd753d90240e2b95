package bridge

import (
	"image"
	"time"

	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/transcode/video"
)

// Over screens of several pictures stand, for a while, who has come and gone, and the
// time of day, where that is wanted. A picture that is passed on as it is stays so.

// banner is what was last told.
type banner struct {
	text  string
	until time.Time
}

// noteCompany tells who has come and gone since the last look. Whoever was there at the
// first is not news.
func (b *Bridge) noteCompany(now time.Time) {
	if b.in.Banner <= 0 {
		return
	}
	there := make(map[string]string, len(b.members)+len(b.roster))
	for _, m := range b.members {
		there[m.identity] = b.company[m.identity]
	}
	for identity, p := range b.roster {
		if !p.Hidden {
			there[identity] = b.company[identity]
		}
	}
	first := b.company == nil
	for identity, name := range there {
		if name != "" {
			continue
		}
		if name, _ = b.person(identity); name == "" {
			delete(there, identity) // it is not known yet
			continue
		}
		if there[identity] = name; !first {
			b.banner = banner{name + " đã vào họp", now.Add(b.in.Banner)}
		}
	}
	for identity, name := range b.company {
		if _, stays := there[identity]; !stays {
			b.banner = banner{name + " đã rời họp", now.Add(b.in.Banner)}
		}
	}
	b.company = there
}

// overlay writes them over a screen.
func (b *Bridge) overlay(scene *video.Scene, to layout.Screen, now time.Time) {
	height := max(to.Height/20, 18) &^ 1
	edge := height / 2 &^ 1
	put := func(text string, at func(w int) int) {
		if n := b.studio.name(nameKey{text: text, height: height, width: to.Width * 3 / 4}, now); n != nil {
			w, _ := n.Size()
			scene.Labels = append(scene.Labels, video.Label{Bitmap: n, At: image.Pt(at(w)&^1, edge)})
		}
	}
	if b.banner.text != "" && now.Before(b.banner.until) {
		put(b.banner.text, func(w int) int { return (to.Width - w) / 2 })
	}
	if b.in.ClockZone != nil {
		put(now.In(b.in.ClockZone).Format("15:04"), func(w int) int { return to.Width - w - edge })
	}
}
