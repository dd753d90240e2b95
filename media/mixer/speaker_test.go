package mixer_test

import (
	"slices"
	"testing"
	"time"

	"github.com/roomgate/roomgate/media/dtmf"
	"github.com/roomgate/roomgate/media/mixer"
)

func TestActiveSpeaker(t *testing.T) {
	var floor []string
	w := newWorld(t, mixer.Config{OnSpeaker: func(id string) { floor = append(floor, id) }})
	silence := func(pcm []int16) { clear(pcm) }
	a, b := w.input("a", pcmu), w.input("b", pcmu)
	sa, sb := w.source(a, pcmu, silence), w.source(b, pcmu, silence)
	listen(t, w.output("o", pcmu, nil))
	w.run(time.Second)
	if len(floor) > 0 || w.mixer.ActiveSpeaker() != "" {
		t.Fatalf("floor %v in silence", floor)
	}
	sa.sound = sine(8000, 400, -20)
	w.run(2 * time.Second)
	// A cough does not take the floor.
	sb.sound = sine(8000, 500, -10)
	w.run(200 * time.Millisecond)
	sb.sound = silence
	w.run(time.Second)
	if !slices.Equal(floor, []string{"a"}) {
		t.Fatalf("floor went %v", floor)
	}
	// Louder for long does.
	sb.sound = sine(8000, 500, -10)
	w.run(2 * time.Second)
	if !slices.Equal(floor, []string{"a", "b"}) || !slices.Equal(w.mixer.Speakers(), []string{"b", "a"}) {
		t.Fatalf("floor went %v, speakers %v", floor, w.mixer.Speakers())
	}
	// Whoever falls silent keeps it until another speaks.
	sa.sound, sb.sound = silence, silence
	w.run(2 * time.Second)
	if w.mixer.ActiveSpeaker() != "b" || len(w.mixer.Speakers()) > 0 {
		t.Errorf("floor with %s, speakers %v", w.mixer.ActiveSpeaker(), w.mixer.Speakers())
	}
	sa.sound = sine(8000, 400, -20)
	w.run(500 * time.Millisecond)
	if w.mixer.ActiveSpeaker() != "a" {
		t.Errorf("floor with %s", w.mixer.ActiveSpeaker())
	}
	b.Mute(true)
	sb.sound = sine(8000, 500, -5)
	w.run(3 * time.Second)
	if w.mixer.ActiveSpeaker() != "a" || b.Speaking() {
		t.Error("a muted input speaks")
	}
	a.Close()
	w.sources = w.sources[1:]
	w.run(100 * time.Millisecond)
	if w.mixer.ActiveSpeaker() != "" {
		t.Error("somebody who left has the floor")
	}
}

func TestInbandKeypad(t *testing.T) {
	var digits []rune
	w := newWorld(t, mixer.Config{})
	in, err := w.mixer.AddInput(mixer.InputConfig{ID: "a", Format: pcma, InbandKeypad: func(d rune) { digits = append(digits, d) }})
	if err != nil {
		t.Fatal(err)
	}
	var keys []int16
	for _, d := range "1234#" {
		keys = append(append(keys, dtmf.Tone(d, 8000, 800, -12)...), make([]int16, 800)...)
	}
	w.source(in, pcma, func(pcm []int16) {
		clear(pcm[copy(pcm, keys):])
		keys = keys[min(len(keys), len(pcm)):]
	})
	w.run(2 * time.Second)
	if string(digits) != "1234#" {
		t.Errorf("heard %q", string(digits))
	}
}
