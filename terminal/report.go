package terminal

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// Report is what came of a call; its JSON form is what `roomgate terminal
// --json` prints. Media that was not received is null.
type Report struct {
	Connected  bool         `json:"connected"`
	Protocol   string       `json:"protocol"`
	SetupMS    int64        `json:"setup_ms"`   // from the INVITE to the answer
	Encryption string       `json:"encryption"` // none, srtp
	Cause      string       `json:"cause"`      // "" when the call ended as it should
	Audio      *AudioReport `json:"audio"`
	Video      *VideoReport `json:"video"`
	Content    *VideoReport `json:"content"`
	DTMFSent   string       `json:"dtmf_sent"`
	// Presenting is missing when the terminal did not ask to present.
	Presenting *PresentingReport `json:"presenting,omitempty"`
	// Camera is missing when nobody moved the terminal's camera.
	Camera *CameraReport `json:"camera,omitempty"`
	// Sync is missing unless it was asked for.
	Sync *SyncReport `json:"sync,omitempty"`
	// Sent counts the RTP packets sent, of all media.
	Sent uint64 `json:"-"`
}

// AudioReport is the audio received.
type AudioReport struct {
	Codec       string  `json:"codec"`
	Packets     uint64  `json:"packets"`
	Lost        uint64  `json:"lost"`
	JitterMS    float64 `json:"jitter_ms"`
	FrequencyHz int     `json:"frequency_hz"` // dominant; 0 in silence
	LevelDBFS   float64 `json:"level_dbfs"`   // when the frequency was measured
	FirstMS     int64   `json:"first_ms"`     // from the answer to the first sound; -1 = none
	// TonesHz are all tones that were heard, each of a tenth of the power of a second
	// or more, in the order they came.
	TonesHz []int `json:"tones_hz"`
}

// VideoReport is video received in one role.
type VideoReport struct {
	Codec     string  `json:"codec"`
	Width     int     `json:"width"` // of the last picture
	Height    int     `json:"height"`
	Frames    int     `json:"frames"` // whole and decodable
	FPS       float64 `json:"fps"`
	Keyframes int     `json:"keyframes"`
	Lost      uint64  `json:"lost"`
	FirstMS   int64   `json:"first_ms"`   // from the answer to the first picture; -1 = none
	Kbps      int     `json:"kbps"`       // of payload that arrived, on average
	Freezes   int     `json:"freezes"`    // pauses of more than half a second between pictures
	LongestMS int64   `json:"longest_ms"` // the longest pause
	Tiles     []Tile  `json:"tiles"`
	// Cards are how many different pictures of each card were seen in all, wherever it stood.
	Cards map[int]int `json:"cards,omitempty"`
	// Timeline is missing unless it was asked for.
	Timeline []Second `json:"timeline,omitempty"`
	// Page is missing where nobody looked for pages of text, or none was seen.
	Page *PageReport `json:"page,omitempty"`
	// Sizes are all that were shown, in order, as WxH.
	Sizes []string `json:"-"`
}

// CameraReport is how the terminal's camera was moved.
type CameraReport struct {
	PanMS   int64 `json:"pan_ms"`   // to the right; negative: to the left
	TiltMS  int64 `json:"tilt_ms"`  // up
	ZoomMS  int64 `json:"zoom_ms"`  // in
	FocusMS int64 `json:"focus_ms"` // in
	Moves   int   `json:"moves"`
	Stored  []int `json:"stored"`  // presets, in order
	Visited []int `json:"visited"` // likewise
	Moving  bool  `json:"moving"`  // still, when the call ended
}

// PresentingReport is what came of the wish to present.
type PresentingReport struct {
	State     string `json:"state"`      // asked, granted, refused, lost (to somebody else), released
	GrantedMS int64  `json:"granted_ms"` // from the request; -1 = never
}

// Tile is the place of one test card, in the last picture among those that
// showed the most.
type Tile struct {
	X        int `json:"x"`
	Y        int `json:"y"`
	Width    int `json:"width"`
	Height   int `json:"height"`
	Identity int `json:"identity"` // of the card, as in card:N
	Frames   int `json:"frames"`   // different cards of it that were seen
}

// PageReport is what was read of pages of text (page:N), at the size they were sent: of
// the one who showed the last.
type PageReport struct {
	Identity int     `json:"identity"`
	Width    int     `json:"width"`
	Height   int     `json:"height"`
	Read     int     `json:"read"`    // pages whose counter was read, each once
	Legible  int     `json:"legible"` // of which the letters were right, and told the same counter
	Text     string  `json:"text"`    // counter of the last, as its letters tell it
	Letters  float64 `json:"letters"` // of the last, percent that were right
}

// OK reports whether the call was answered and media came both ways: what the
// exit code of `roomgate terminal` says.
func (r Report) OK() bool {
	audio := r.Audio != nil && r.Audio.Packets > 0
	video := r.Video != nil && r.Video.Frames > 0
	return r.Connected && (audio || video) && r.Sent > 0
}

// Table prints the report for people.
func (r Report) Table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	state := "not connected"
	if r.Connected {
		state = fmt.Sprintf("connected in %d ms, encryption %s", r.SetupMS, r.Encryption)
	}
	fmt.Fprintf(t, "call\t%s\t%s\n", r.Protocol, state)
	if r.Cause != "" {
		fmt.Fprintf(t, "ended\t%s\n", r.Cause)
	}
	if a := r.Audio; a != nil {
		fmt.Fprintf(t, "audio\t%s\t%d packets, %d lost, jitter %.1f ms\t%d Hz at %.1f dBFS\tfirst after %s\n",
			a.Codec, a.Packets, a.Lost, a.JitterMS, a.FrequencyHz, a.LevelDBFS, after(a.FirstMS))
	}
	for _, v := range []struct {
		name string
		*VideoReport
	}{{"video", r.Video}, {"content", r.Content}} {
		if v.VideoReport != nil {
			fmt.Fprintf(t, "%s\t%s\t%dx%d, %d pictures, %.1f a second, %d kbit/s\t%d keyframes, %d lost, %d freezes\tfirst after %s\n",
				v.name, v.Codec, v.Width, v.Height, v.Frames, v.FPS, v.Kbps, v.Keyframes, v.Lost, v.Freezes, after(v.FirstMS))
		}
	}
	if p := r.Presenting; p != nil {
		fmt.Fprintf(t, "presenting\t%s\tgranted after %s\n", p.State, after(p.GrantedMS))
	}
	if c := r.Camera; c != nil {
		fmt.Fprintf(t, "camera\tmoved %d times\tpan %d ms, tilt %d ms, zoom %d ms, focus %d ms\tpresets %v stored, %v visited\n", c.Moves, c.PanMS, c.TiltMS, c.ZoomMS, c.FocusMS, c.Stored, c.Visited)
	}
	if r.DTMFSent != "" {
		fmt.Fprintf(t, "keypad\t%s sent\n", r.DTMFSent)
	}
	return t.Flush()
}

func after(ms int64) string {
	if ms < 0 {
		return "never"
	}
	return fmt.Sprintf("%d ms", ms)
}

func round(v float64) float64 { return math.Round(v*10) / 10 }
