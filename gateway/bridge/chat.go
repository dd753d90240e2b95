package bridge

import (
	"image"
	"slices"
	"strings"
	"time"

	"github.com/roomgate/roomgate/gateway/label"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/transcode/video"
)

// What is written in the meeting stands for a while at the lower left of screens that are
// made for a leg, above the names: of all legs where that is wanted, or of one that asks. For
// one that asks, a picture that would be passed on is made meanwhile.

// chatLine is something that was written.
type chatLine struct {
	id, text string
	at       time.Time
}

const (
	chatLines   = 3 // on a screen at once, of so many rows each
	chatRows    = 2
	chatLetters = 400 // of what is written; more does not fit
	chatKept    = 32  // so that what is told again is known
)

// chatted takes what somebody wrote. Several who receive for the bridge may tell the same.
// It is on screens within a second, when the director looks next: who writes without end
// makes no screen be composed more often.
func (b *Bridge) chatted(e Event) {
	if slices.ContainsFunc(b.chat, func(l chatLine) bool { return l.id == e.ID }) {
		return
	}
	text := label.Clean(e.Text)
	if letters := []rune(text); len(letters) > chatLetters {
		text = string(letters[:chatLetters])
	}
	name, _ := b.person(e.Participant.Identity)
	if text == "" || name == "" {
		return // of nobody who is shown
	}
	if len(b.chat) == chatKept {
		b.chat = slices.Delete(b.chat, 0, 1)
	}
	b.chat = append(b.chat, chatLine{id: e.ID, text: name + ": " + text, at: b.in.Now()})
}

// ReadChat shows the leg what was written last, for a while. It is false when there is
// nothing, or no screen to show it on.
func (m *Member) ReadChat(d time.Duration) (shown bool) {
	b := m.bridge
	b.call(func() {
		if m.gone || len(b.chat) == 0 || !m.hasScreen() || m.unit.MCU || !b.studio.present() {
			return
		}
		shown = true
		m.reads = b.in.Now().Add(d)
		b.nudge()
	})
	return shown
}

// reading reports whether the leg has asked for the chat, and still has it.
func (m *Member) reading(now time.Time) bool { return now.Before(m.reads) }

// boardKey tells the screen of one who reads the chat from that of others.
func (m *Member) boardKey(key string, now time.Time) string {
	if m.reading(now) {
		key += " chat"
	}
	return key
}

// chatText is what a screen shows of the chat, in rows of so many letters at most: what is
// new, or to one who asks the last of it.
func (b *Bridge) chatText(letters int, asked bool, now time.Time) (rows []string) {
	for _, l := range b.chat[max(0, len(b.chat)-chatLines):] {
		if !asked && !now.Before(l.at.Add(b.in.Chat)) {
			continue
		}
		some := label.Wrap(l.text, letters)
		if len(some) > chatRows {
			// The label is cut where the screen ends, with an ellipsis.
			some = append(some[:chatRows-1], strings.Join(some[chatRows-1:], " "))
		}
		rows = append(rows, some...)
	}
	return rows
}

// writeChat writes it over a screen.
func (b *Bridge) writeChat(scene *video.Scene, to layout.Screen, asked bool, now time.Time) {
	height := max(to.Height/20, 18) &^ 1
	width := to.Width * 3 / 4
	rows := b.chatText(width*3/height, asked, now) // a letter is a third of its height wide
	// Names are a tenth of their tile high at most, and stand a fortieth above its edge.
	y := to.Height*7/8 - len(rows)*height
	for _, text := range rows {
		if n := b.studio.name(nameKey{text: text, height: height, width: width}, now); n != nil {
			scene.Labels = append(scene.Labels, video.Label{Bitmap: n, At: image.Pt(height/2&^1, y&^1)})
		}
		y += height
	}
}
