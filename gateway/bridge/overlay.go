package bridge

import (
	"fmt"
	"image"
	"time"

	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/transcode/video"
)

// Over screens that are made for a leg stand, for a while, who has come and gone, the time of
// day and what is written in the meeting, where that is wanted, and a mark while the meeting
// is recorded. A picture that is passed on as it is stays so.

// banner is what was last told.
type banner struct {
	text  string
	until time.Time
}

// presence is somebody who is there.
type presence struct {
	name string // "": it is not known yet
	news bool   // their coming has not been told
}

// noteCompany tells who has come and gone since the last look; of several the last by
// name. Whoever was there at the first is not news.
func (b *Bridge) noteCompany(now time.Time) {
	if b.in.Banner <= 0 {
		return
	}
	there := make(map[string]presence, len(b.members)+len(b.roster))
	note := func(identity string) {
		p, known := b.company[identity]
		if !known {
			p.news = b.company != nil
		}
		if p.name == "" {
			p.name, _ = b.person(identity)
		}
		there[identity] = p
	}
	for _, m := range b.members {
		note(m.identity)
	}
	for identity, p := range b.roster {
		if !p.Hidden {
			note(identity)
		}
	}
	came, went := "", ""
	for identity, p := range there {
		if p.news && p.name != "" {
			came = max(came, p.name)
			p.news = false
			there[identity] = p
		}
	}
	for identity, p := range b.company {
		if _, stays := there[identity]; !stays && !p.news {
			went = max(went, p.name)
		}
	}
	b.company = there
	switch {
	case came != "":
		b.banner = banner{fmt.Sprintf(b.in.Came, came), now.Add(b.in.Banner)}
	case went != "":
		b.banner = banner{fmt.Sprintf(b.in.Went, went), now.Add(b.in.Banner)}
	}
}

// recording notes whether the meeting is recorded.
func (b *Bridge) recording(on bool) {
	if on == b.recorded {
		return
	}
	b.recorded = on
	b.in.Notify(Notice{Kind: Recording, On: on})
	b.nudge()
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
	if b.recorded {
		if n := b.studio.name(nameKey{height: height, recording: true}, now); n != nil {
			scene.Labels = append(scene.Labels, video.Label{Bitmap: n, At: image.Pt(edge, edge)})
		}
	}
	if b.banner.text != "" && now.Before(b.banner.until) {
		put(b.banner.text, func(w int) int { return (to.Width - w) / 2 })
	}
	if b.in.ClockZone != nil {
		put(now.In(b.in.ClockZone).Format("15:04"), func(w int) int { return to.Width - w - edge })
	}
}
