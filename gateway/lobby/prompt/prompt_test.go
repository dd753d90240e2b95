package prompt_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomgate/roomgate/gateway/lobby/prompt"
	"github.com/roomgate/roomgate/media/level"
)

func open(t *testing.T, dir string) *prompt.Set {
	t.Helper()
	s, err := prompt.Open(dir)
	if errors.Is(err, prompt.ErrNotBuilt) {
		t.Skip("SKIPPED: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ids are all prompts that the program speaks.
var ids = []prompt.ID{
	prompt.Welcome, prompt.Choose, prompt.Meeting, prompt.PIN, prompt.HostPIN, prompt.NoInput, prompt.NoMeeting, prompt.WrongPIN, prompt.TooMany,
	prompt.Full, prompt.Locked, prompt.WaitHost, prompt.WaitAdmit, prompt.WaitTime, prompt.NotYet, prompt.Denied, prompt.Insecure, prompt.Joined, prompt.JoinedMuted, prompt.Ending, prompt.Ended, prompt.Goodbye,
	prompt.Name, prompt.Came, prompt.Went,
	prompt.KeysMute, prompt.KeysLayout, prompt.KeysPresent, prompt.KeysChat, prompt.KeysLock, prompt.NoKey, prompt.HostsOnly, prompt.Muted, prompt.Unmuted,
	prompt.LayoutAuto, prompt.LayoutSpeaker, prompt.LayoutGrid, prompt.LayoutSingle,
	prompt.Presenting, prompt.PresentingEnds, prompt.PresentingWaits, prompt.PresentingDenied, prompt.NoPicture, prompt.NoChat, prompt.Locking, prompt.Unlocking,
}

func TestEveryPromptHasTextAndSound(t *testing.T) {
	s := open(t, "")
	texts := prompt.Texts()
	if want := len(ids) * len(prompt.Languages); len(texts) != want {
		t.Errorf("%d texts, want %d", len(texts), want)
	}
	for _, l := range prompt.Languages {
		for _, id := range ids {
			c := prompt.Clip{Language: l, ID: id}
			if texts[c] == "" {
				t.Errorf("%v has no text", c)
			}
			length, loud := s.Length([]prompt.Clip{c}), level.DBov(s.Sound(c))
			if length < 800*time.Millisecond || length > 12*time.Second || loud < -35 || loud > -8 {
				t.Errorf("%v lasts %v at %.1f dBov", c, length, loud)
			}
		}
	}
	for _, id := range ids {
		if vi := texts[prompt.Clip{Language: prompt.Vietnamese, ID: id}]; !strings.ContainsFunc(vi, func(r rune) bool { return r > 0x7f }) {
			t.Errorf("%s is written without diacritics: %q", id, vi)
		}
	}
	if s.Sound(prompt.Clip{Language: "fr", ID: prompt.PIN}) != nil {
		t.Error("speaks French")
	}
}

func TestMusicCanBeRepeated(t *testing.T) {
	m := open(t, "").Music()
	if len(m) != 16*prompt.Rate {
		t.Errorf("lasts %d samples", len(m))
	}
	if loud := level.DBov(m); loud < -30 || loud > -18 {
		t.Errorf("%.1f dBov", loud)
	}
	if jump := int(m[0]) - int(m[len(m)-1]); jump > 1000 || jump < -1000 {
		t.Errorf("the end and the beginning differ by %d", jump)
	}
}

// wav is a file of n samples of 1000 at a rate.
func wav(channels, rate, bits, n int) []byte {
	data := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00")
	data = binary.LittleEndian.AppendUint16(data, uint16(channels))
	data = binary.LittleEndian.AppendUint32(data, uint32(rate))
	data = append(data, 0, 0, 0, 0, 0, 0)
	data = binary.LittleEndian.AppendUint16(data, uint16(bits))
	data = append(data, "LIST\x03\x00\x00\x00abc\x00data"...) // padded
	data = binary.LittleEndian.AppendUint32(data, uint32(2*n*channels))
	for range n * channels {
		data = binary.LittleEndian.AppendUint16(data, 1000)
	}
	return data
}

func TestDeploymentReplacesPrompts(t *testing.T) {
	before := open(t, "")
	dir := t.TempDir()
	put := func(name string, data []byte) {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	put("vi/pin.wav", wav(2, 8000, 16, 8000))
	put("music.wav", wav(1, 48000, 16, 48000))
	s := open(t, dir)
	pin := prompt.Clip{Language: prompt.Vietnamese, ID: prompt.PIN}
	if got := s.Sound(pin); len(got) < prompt.Rate-200 || len(got) > prompt.Rate+200 || got[prompt.Rate/2] < 950 || got[prompt.Rate/2] > 1050 {
		t.Errorf("%d samples", len(got))
	}
	if got := s.Music(); len(got) < prompt.Rate-200 || len(got) > prompt.Rate+200 {
		t.Errorf("music of %d samples", len(got))
	}
	other := prompt.Clip{Language: prompt.English, ID: prompt.PIN}
	if s.Length([]prompt.Clip{other}) != before.Length([]prompt.Clip{other}) {
		t.Error("another prompt has changed")
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("hello, this is no sound"), "8 bit": wav(1, 8000, 8, 100), "no samples": wav(1, 8000, 16, 0), "a strange rate": wav(1, 7919, 16, 100),
	} {
		put("vi/pin.wav", data)
		if _, err := prompt.Open(dir); err == nil || !strings.Contains(err.Error(), "prompt pin in vi") {
			t.Errorf("%s: %v", name, err)
		}
	}
	put("vi/pin.wav", wav(1, 8000, 16, 100))
	put("music.wav", wav(1, 8000, 16, 60*8000))
	if _, err := prompt.Open(dir); err == nil || !strings.Contains(err.Error(), "music") {
		t.Errorf("music without end: %v", err)
	}
}
