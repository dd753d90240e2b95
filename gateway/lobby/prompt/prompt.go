// Package prompt holds what the lobby says: the texts in each language, spoken
// into WAV files when the program is built (scripts/prompts) and replaceable by
// files of a deployment, and the tune played to those who wait.
package prompt

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/roomgate/roomgate/media/resample"
)

//go:embed all:wav
var built embed.FS

//go:embed prompts.tsv
var table string

// ErrNotBuilt is returned when the program was built without the prompts.
var ErrNotBuilt = errors.New("the prompts of the lobby are not built into this program (make build makes them)")

// Rate is the sampling rate of every sound, in Hz.
const Rate = 16000

// Language is one that is spoken.
type Language string

// The languages.
const (
	Vietnamese Language = "vi"
	English    Language = "en"
)

// Languages are all there are, in the order of the table of texts.
var Languages = []Language{Vietnamese, English}

// ID names a prompt.
type ID string

// The prompts.
const (
	Welcome     ID = "welcome"
	Choose      ID = "language"
	Meeting     ID = "meeting"
	PIN         ID = "pin"
	HostPIN     ID = "pin-host"
	NoInput     ID = "no-input"
	NoMeeting   ID = "no-meeting"
	WrongPIN    ID = "wrong-pin"
	TooMany     ID = "too-many"
	Full        ID = "full"
	Locked      ID = "locked"
	WaitHost    ID = "wait-host"
	WaitAdmit   ID = "wait-admit"
	WaitTime    ID = "wait-time"
	NotYet      ID = "not-yet"
	Denied      ID = "denied"
	Insecure    ID = "insecure"
	Joined      ID = "joined"
	JoinedMuted ID = "joined-muted"
	Ending      ID = "ending"
	Ended       ID = "ended"
	Goodbye     ID = "goodbye"
	Name        ID = "name" // is asked for
	Came        ID = "came" // after a name
	Went        ID = "went" // likewise
)

// What keys do in a meeting, and what came of them.
const (
	KeysMute         ID = "keys-mute"
	KeysLayout       ID = "keys-layout"
	KeysPresent      ID = "keys-present"
	KeysChat         ID = "keys-chat"
	KeysLock         ID = "keys-lock"
	NoKey            ID = "no-key"
	HostsOnly        ID = "hosts-only"
	Muted            ID = "muted"
	Unmuted          ID = "unmuted"
	LayoutAuto       ID = "layout-auto"
	LayoutSpeaker    ID = "layout-speaker"
	LayoutGrid       ID = "layout-grid"
	LayoutSingle     ID = "layout-single"
	Presenting       ID = "presenting"
	PresentingEnds   ID = "presenting-ends"
	PresentingWaits  ID = "presenting-waits"
	PresentingDenied ID = "presenting-denied"
	NoPicture        ID = "no-picture"
	NoChat           ID = "no-chat"
	Locking          ID = "locking"
	Unlocking        ID = "unlocking"
)

// Clip is one prompt in one language.
type Clip struct {
	Language Language
	ID       ID
}

// Texts are all prompts as they are written.
func Texts() map[Clip]string {
	texts := map[Clip]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		for i, l := range Languages {
			if len(cells) > i+1 {
				texts[Clip{l, ID(cells[0])}] = cells[i+1]
			}
		}
	}
	return texts
}

// Set is the prompts as sounds.
type Set struct {
	mu    sync.Mutex
	own   map[Clip]recording // of the deployment
	clips map[Clip][]int16   // at Rate, of what was asked for so far
	music []int16            // of the deployment; nil: the one built in
}

type recording struct {
	pcm  []int16
	rate int
}

// Open takes the prompts that were built in and, in place of them, those below
// dir: dir/vi/pin.wav, dir/en/pin.wav, and dir/music.wav for the tune. An empty
// dir replaces none.
func Open(dir string) (*Set, error) {
	s := &Set{own: map[Clip]recording{}, clips: map[Clip][]int16{}}
	for clip := range Texts() {
		own, err := s.replace(dir, clip)
		if err != nil {
			return nil, fmt.Errorf("prompt %s in %s: %w", clip.ID, clip.Language, err)
		}
		if _, err := fs.Stat(built, clip.file()); err != nil && !own {
			return nil, ErrNotBuilt
		}
	}
	return s, s.openMusic(dir)
}

// file is where a prompt is among those built in.
func (c Clip) file() string { return path.Join("wav", string(c.Language), string(c.ID)+".wav") }

// replace takes a prompt of the deployment; own is false where it has none.
func (s *Set) replace(dir string, c Clip) (own bool, err error) {
	if dir == "" {
		return false, nil
	}
	data, err := os.ReadFile(filepath.Join(dir, string(c.Language), string(c.ID)+".wav"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	pcm, rate, err := parseWAV(data)
	s.own[c] = recording{pcm, rate}
	return true, err
}

func (s *Set) openMusic(dir string) error {
	if dir == "" {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(dir, "music.wav"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("music: %w", err)
	}
	pcm, rate, err := parseWAV(data)
	if err == nil && len(pcm) > maxMusic*rate {
		err = fmt.Errorf("is longer than %d s", maxMusic)
	}
	if err == nil {
		s.music, err = atRate(recording{pcm, rate})
	}
	if err != nil {
		return fmt.Errorf("music: %w", err)
	}
	return nil
}

// maxMusic bounds the tune, in seconds: it is queued as a whole.
const maxMusic = 50

// Music is the tune for those who wait, to be repeated.
func (s *Set) Music() []int16 {
	if s.music == nil {
		return tune()
	}
	return s.music
}

// Sound is a prompt, at Rate; nil for one that there is not.
func (s *Set) Sound(c Clip) []int16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pcm, ok := s.clips[c]; ok {
		return pcm
	}
	pcm, err := s.load(c)
	if err != nil { // those of the deployment were looked at, those built in are tested
		return nil
	}
	s.clips[c] = pcm
	return pcm
}

func (s *Set) load(c Clip) ([]int16, error) {
	if own, ok := s.own[c]; ok {
		return atRate(own)
	}
	data, err := fs.ReadFile(built, c.file())
	if err != nil {
		return nil, err
	}
	pcm, rate, err := parseWAV(data)
	if err != nil {
		return nil, err
	}
	return atRate(recording{pcm, rate})
}

// Length is how long prompts last, one after the other.
func (s *Set) Length(clips []Clip) time.Duration {
	n := 0
	for _, c := range clips {
		n += len(s.Sound(c))
	}
	return time.Duration(n) * time.Second / Rate
}

func atRate(r recording) ([]int16, error) {
	if r.rate == Rate || len(r.pcm) == 0 {
		return r.pcm, nil
	}
	re, err := resample.New(r.rate, Rate)
	if err != nil {
		return nil, err
	}
	out := make([]int16, re.Len(len(r.pcm)))
	return out[:re.Write(out, r.pcm)], nil
}
