package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// room is a running `roomgate terminal --json`.
type room struct {
	*process
	hz       float64
	protocol string
}

// roomAudio is the sound of one.
type roomAudio struct {
	Codec       string    `json:"codec"`
	Packets     int       `json:"packets"`
	Lost        int       `json:"lost"`
	FrequencyHz float64   `json:"frequency_hz"`
	LevelDBFS   float64   `json:"level_dbfs"`
	FirstMS     int       `json:"first_ms"`
	TonesHz     []float64 `json:"tones_hz"`
}

// has reports whether a tone was among what was heard, however loud others were:
// all talkers are levelled.
func (a *roomAudio) has(hz float64) bool {
	return slices.ContainsFunc(a.TonesHz, func(t float64) bool { return math.Abs(t-hz) <= 15 })
}

// roomReport is what it prints at the end: DESIGN's shape, read by hand.
type roomReport struct {
	Connected  bool       `json:"connected"`
	Protocol   string     `json:"protocol"`
	SetupMS    int        `json:"setup_ms"`
	Encryption string     `json:"encryption"`
	Cause      string     `json:"cause"`
	Audio      *roomAudio `json:"audio"`
	Video      *struct {
		Codec     string   `json:"codec"`
		Width     int      `json:"width"`
		Height    int      `json:"height"`
		Frames    int      `json:"frames"`
		Keyframes int      `json:"keyframes"`
		FirstMS   int      `json:"first_ms"`
		Lost      int      `json:"lost"`
		Freezes   int      `json:"freezes"`
		LongestMS int      `json:"longest_ms"`
		Timeline  []second `json:"timeline"`
		Tiles     []struct {
			X        int `json:"x"`
			Y        int `json:"y"`
			Width    int `json:"width"`
			Height   int `json:"height"`
			Identity int `json:"identity"`
			Frames   int `json:"frames"`
		} `json:"tiles"`
		Cards map[int]int `json:"cards"`
	} `json:"video"`
	Content *struct {
		Width     int `json:"width"`
		Height    int `json:"height"`
		Frames    int `json:"frames"`
		Keyframes int `json:"keyframes"`
		Page      *struct {
			Identity int     `json:"identity"`
			Width    int     `json:"width"`
			Height   int     `json:"height"`
			Read     int     `json:"read"`
			Legible  int     `json:"legible"`
			Letters  float64 `json:"letters"`
		} `json:"page"`
	} `json:"content"`
	Presenting *struct {
		State     string `json:"state"`
		GrantedMS int    `json:"granted_ms"`
	} `json:"presenting"`
	Camera *struct {
		PanMS   int   `json:"pan_ms"`
		TiltMS  int   `json:"tilt_ms"`
		FocusMS int   `json:"focus_ms"`
		Moves   int   `json:"moves"`
		Stored  []int `json:"stored"`
		Visited []int `json:"visited"`
		Moving  bool  `json:"moving"`
	} `json:"camera"`
	Sync *struct {
		Pairs    int   `json:"pairs"`
		MedianMS int64 `json:"median_ms"`
		WorstMS  int64 `json:"worst_ms"`
	} `json:"sync"`
	DTMFSent string `json:"dtmf_sent"`
	code     int    // exit code
}

// startRoom runs a terminal that sends a tone.
func startRoom(t *testing.T, hz float64, args ...string) *room {
	t.Helper()
	protocol := "sip"
	if slices.Contains(args, "h323") {
		protocol = "h323"
	}
	if !slices.ContainsFunc(args, func(a string) bool { return slices.Contains([]string{"--fps", "--sync", "--path", "--timeline"}, a) }) {
		args = append(args, "--fps", "15") // half the work of all who handle them
	}
	args = append([]string{"terminal", "--json", "--verbose", "--audio", fmt.Sprintf("tone:%.0f", hz)}, args...)
	return &room{process: start(t, fmt.Sprintf("terminal%.0f", hz), inPeers(program(), args...)), hz: hz, protocol: protocol}
}

// report waits for the end of the terminal and reads what it printed.
func (r *room) report() roomReport {
	r.t.Helper()
	_ = r.wait(60 * time.Second)
	var out roomReport
	lines := strings.Split(strings.TrimSpace(r.text()), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.HasPrefix(lines[i], `{"connected"`) {
			if err := json.Unmarshal([]byte(lines[i]), &out); err != nil {
				r.t.Fatalf("%s: %v in %s", r.name, err, lines[i])
			}
			break
		}
	}
	out.code = r.cmd.ProcessState.ExitCode()
	return out
}

// heard ends the terminal and checks that it connected, heard a tone and,
// when a size is given, decoded pictures of it.
func (r *room) heard(hz float64, codec, encryption string, width, height int) roomReport {
	r.t.Helper()
	r.stop()
	got := r.report()
	if !got.Connected || got.Protocol != r.protocol || got.code != 0 || got.Cause != "" {
		r.t.Errorf("%s: connected %v, protocol %q, cause %q, exit code %d", r.name, got.Connected, got.Protocol, got.Cause, got.code)
	}
	if got.Encryption != encryption {
		r.t.Errorf("%s: encryption %q, want %q", r.name, got.Encryption, encryption)
	}
	if a := got.Audio; a == nil || a.Codec != codec || a.Packets < 50 || a.LevelDBFS < -45 || !a.has(hz) {
		r.t.Errorf("%s: hears %+v, want %.0f Hz in %s", r.name, a, hz, codec)
	}
	if v := got.Video; width > 0 && (v == nil || v.Codec != "H264" || v.Width != width || v.Height != height || v.Frames < 10 || v.Keyframes < 1) {
		r.t.Errorf("%s: sees %+v, want %dx%d", r.name, v, width, height)
	}
	return got
}
