package terminal

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
)

// eye measures the video received in one role. A picture counts when it is
// whole and can be decoded: its parameter sets came, decoding started at an
// IDR, nothing was lost since, and frame_num (H.264 §7.4.3) shows no gap.
type eye struct {
	needKeyframe func()

	mu      sync.Mutex
	depack  *h264.Depacketizer
	sets    map[uint8]h264.SPS // by seq_parameter_set_id, at most 32
	pps     map[uint8]h264.PPS // by pic_parameter_set_id, at most 256
	now     time.Time
	packets uint64

	decoding bool // an IDR came and nothing was lost since
	broken   bool // a keyframe is needed
	open     bool // a picture is under way
	stamp    uint32
	idr      bool   // the picture under way
	sps      uint8  // refers to
	frameNum uint32 // of the last picture
	wasRef   bool   // which was one others refer to

	width, height int
	sizes         []string
	frames        int
	keyframes     int
	first, last   time.Time
	pace          pace
	file          *os.File
	record        *bufio.Writer
	pending       []byte // the picture under way, to be recorded when it counts
}

// maxPicture bounds what is kept of a picture under way.
const maxPicture = 4 << 20

func newEye(file string) (*eye, error) {
	e := &eye{needKeyframe: func() {}, sets: map[uint8]h264.SPS{}, pps: map[uint8]h264.PPS{}}
	e.depack = h264.NewDepacketizer(e.unit, e.lost)
	if file != "" {
		f, err := os.Create(file)
		if err != nil {
			return nil, err
		}
		e.file, e.record = f, bufio.NewWriter(f)
	}
	return e, nil
}

// ask sets how a keyframe is asked for.
func (e *eye) ask(needKeyframe func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.needKeyframe = needKeyframe
}

// WriteRTP implements media.Writer.
func (e *eye) WriteRTP(p *rtp.Packet) error {
	e.mu.Lock()
	e.now = time.Now()
	e.packets++
	e.pace.packet(len(p.Payload), e.now)
	_ = e.depack.WriteRTP(p) // its error is always nil
	ask := e.needKeyframe
	if !e.broken {
		ask = func() {}
	}
	e.mu.Unlock()
	ask()
	return nil
}

func (e *eye) lost(int) {
	e.decoding, e.open, e.broken = false, false, true
	e.pending = e.pending[:0]
}

func (e *eye) unit(u h264.Unit) {
	if e.open && u.Timestamp != e.stamp {
		e.complete()
	}
	if e.record != nil && len(e.pending) < maxPicture {
		e.pending = h264.AppendAnnexB(e.pending, u.NAL)
	}
	switch t := h264.TypeOf(u.NAL); {
	case t == h264.SPSUnit:
		if s, err := h264.ParseSPS(u.NAL); err == nil {
			e.sets[s.ID] = s
		}
	case t == h264.PPSUnit:
		if p, err := h264.ParsePPS(u.NAL); err == nil {
			e.pps[p.ID] = p
		}
	case t.IsSlice():
		e.slice(u)
	}
	if u.Last && e.open {
		e.complete()
	}
}

// slice follows what a decoder would do with it.
func (e *eye) slice(u h264.Unit) {
	id, _, err := h264.PPSOf(u.NAL)
	pps, known := e.pps[id]
	sps, knownSPS := e.sets[pps.SPS]
	if err != nil || !known || !knownSPS {
		e.lost(0)
		return
	}
	h, err := h264.ParseSliceHeader(u.NAL, &sps)
	if err != nil {
		e.lost(0)
		return
	}
	if e.open {
		return // a further slice of the picture
	}
	if h.FirstMB != 0 { // what came before it was lost
		e.lost(0)
		return
	}
	idr := h264.TypeOf(u.NAL) == h264.IDR
	switch {
	case idr:
		e.decoding, e.broken = true, false
	case !e.decoding:
		e.broken = true
	case !sps.GapsAllowed && !e.follows(h.FrameNum, uint32(1)<<sps.FrameNumBits):
		e.lost(0)
	}
	e.open, e.stamp, e.idr, e.sps = true, u.Timestamp, idr, sps.ID
	e.frameNum, e.wasRef = h.FrameNum, u.NAL[0]&0x60 != 0
}

// follows: frame_num rises by one behind a reference picture, and stays behind
// any other.
func (e *eye) follows(frameNum, modulus uint32) bool {
	if frameNum == e.frameNum {
		return true // also the second field of a reference picture
	}
	return e.wasRef && frameNum == (e.frameNum+1)%modulus
}

// keep records the picture that was just counted.
func (e *eye) keep() {
	if e.record != nil {
		_, _ = e.record.Write(e.pending) // Flush reports it
	}
	e.pending = e.pending[:0]
}

// complete counts the picture under way.
func (e *eye) complete() {
	e.open = false
	if !e.decoding {
		e.pending = e.pending[:0]
		return
	}
	e.frames++
	e.keep()
	if e.idr {
		e.keyframes++
		s := e.sets[e.sps]
		if s.Width != e.width || s.Height != e.height {
			e.width, e.height = s.Width, s.Height
			e.sizes = append(e.sizes, fmt.Sprintf("%dx%d", s.Width, s.Height))
		}
	}
	e.pace.picture(e.idr, e.width, e.height, e.now)
	if e.first.IsZero() {
		e.first = e.now
	}
	e.last = e.now
}

func (e *eye) seen() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.frames
}

// report closes the eye.
func (e *eye) report(answer time.Time) (*VideoReport, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open {
		e.complete()
	}
	r := &VideoReport{
		Codec: string(media.H264), Width: e.width, Height: e.height, Frames: e.frames, Keyframes: e.keyframes,
		Lost: e.depack.Stats().Lost, FirstMS: -1, Tiles: []Tile{}, Sizes: e.sizes,
	}
	if !e.first.IsZero() {
		r.FirstMS = max(e.first.Sub(answer).Milliseconds(), 0)
	}
	if span := e.last.Sub(e.first).Seconds(); span > 0 {
		r.FPS = round(float64(e.frames-1) / span)
	}
	e.pace.report(r)
	if e.record == nil {
		return r, nil
	}
	err := e.record.Flush()
	if closing := e.file.Close(); err == nil {
		err = closing
	}
	return r, err
}
