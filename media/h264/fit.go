package h264

import (
	"fmt"

	"github.com/roomgate/roomgate/media"
)

// DefaultPacket is the length of the longest packet sent, RTP header included.
const DefaultPacket = 1200

// WholePacket is how long a packet may be that cannot be made shorter, because packetization
// mode 0 has no fragments and the terminal that coded the slice chose its length (1391
// bytes with H323Plus). A path of 1500 bytes carries it, with IPv6 and UDP in front
// (48 bytes) and what encryption adds (16) behind.
const WholePacket = 1436

const rtpHeader = 12

// assumedFPS stands in where neither the stream nor the clock has told yet.
const assumedFPS = 30

// Facts is what is known of a stream: what its parameter sets state and what
// was measured. Zero values mean not known yet.
type Facts struct {
	SPS         SPS
	SliceGroups int     // of the PPS; more than one is FMO, which few decode
	FPS         float64 // measured; the VUI's is used when zero
	Bitrate     int     // measured, bit/s
	LargestNAL  int     // bytes
}

// Receiver is what a receiver of H.264 takes.
type Receiver struct {
	Format     media.H264Format
	MaxBitrate int  // bit/s of media, on top of the level's; 0 = the level's
	MaxPacket  int  // RTP header included; 0 = DefaultPacket
	AnySize    bool // takes portrait and unusual sizes (software clients)
}

// room is how long a NAL unit may be to travel in one packet.
func (r Receiver) room() int {
	if r.MaxPacket <= 0 {
		return DefaultPacket - rtpHeader
	}
	return r.MaxPacket - rtpHeader
}

// Fits reports whether r can show a stream as it is, without decoding and
// encoding it anew; reason says why not, in words for operators.
func Fits(f Facts, r Receiver) (ok bool, reason string) {
	for _, check := range []func(*Facts, *Receiver) string{
		profileFits, sizeFits, levelFits, rateFits, packetFits,
	} {
		if reason = check(&f, &r); reason != "" {
			return false, reason
		}
	}
	return true, ""
}

// profileFits: Constrained Baseline is a part of every profile; Main is a part
// of High (§A.2).
func profileFits(f *Facts, r *Receiver) string {
	profile, constraints, _ := splitProfile(r.Format.ProfileLevelID)
	s := &f.SPS
	switch {
	case f.SliceGroups > 1:
		if s.ProfileIDC == profile && constraints&0x40 == 0 {
			return ""
		}
		return "slice groups (FMO)"
	case s.ConstrainedBaseline(), s.ProfileIDC == 66, s.ProfileIDC == profile && profile != 100:
		return ""
	case profile == 100 && (s.ProfileIDC == 77 || s.ProfileIDC == 100):
		return highFits(s, constraints)
	}
	return fmt.Sprintf("%s where %s is taken",
		profileName(uint32(s.ProfileIDC), uint32(s.Constraints)), profileName(uint32(profile), uint32(constraints)))
}

// highFits: a receiver of Constrained High takes neither fields nor B slices
// (§A.2.4.2), one of Progressive High takes no fields.
func highFits(s *SPS, constraints uint8) string {
	const set4, set5 = 0x08, 0x04
	if constraints&set4 != 0 && !s.FrameMBsOnly {
		return "interlaced"
	}
	stated := s.ProfileIDC == 100 && s.Constraints&set5 != 0
	if constraints&set5 != 0 && !stated && s.POCType != 2 && s.ReorderFrames != 0 {
		return "may hold B pictures"
	}
	return ""
}

func sizeFits(f *Facts, r *Receiver) string {
	w, h := f.SPS.Width, f.SPS.Height
	switch {
	case r.AnySize:
		return ""
	case h > w:
		return fmt.Sprintf("portrait picture %dx%d", w, h)
	case !TerminalSize(w, h):
		return fmt.Sprintf("unusual picture size %dx%d", w, h)
	}
	return ""
}

func levelFits(f *Facts, r *Receiver) string {
	limit, raised := Limits(r.Format)
	has := f.SPS.Level()
	if has.Number == 0 {
		return fmt.Sprintf("unknown level_idc %d", f.SPS.LevelIDC)
	}
	if !raised && has.above(limit) {
		return fmt.Sprintf("level %s where %s is taken", levelName(has), levelName(limit))
	}
	if uint32(f.SPS.Macroblocks) > limit.FS {
		return fmt.Sprintf("picture %dx%d of %d macroblocks where %d are taken", f.SPS.Width, f.SPS.Height, f.SPS.Macroblocks, limit.FS)
	}
	return ""
}

// rateFits allows for how roughly rates are measured.
func rateFits(f *Facts, r *Receiver) string {
	limit, raised := Limits(r.Format)
	fps := f.FPS
	if fps == 0 {
		fps = f.SPS.FPS
	}
	if fps == 0 && f.SPS.Level().MBPS > limit.MBPS {
		fps = assumedFPS
	}
	if mbps := fps * float64(f.SPS.Macroblocks); mbps > 1.1*float64(limit.MBPS) {
		return fmt.Sprintf("%.0f pictures a second of %dx%d where %d macroblocks a second are taken", fps, f.SPS.Width, f.SPS.Height, limit.MBPS)
	}
	if m := float64(r.Format.MaxFPS) / 100; m > 0 && fps > 1.1*m {
		return fmt.Sprintf("%.0f pictures a second where %.0f are taken", fps, m)
	}
	bps := int(limit.BR) * 1000
	if raised && r.Format.MaxBR == 0 { // a raised picture size without its rate
		bps = 0
	}
	if r.MaxBitrate > 0 && (bps == 0 || r.MaxBitrate < bps) {
		bps = r.MaxBitrate
	}
	if bps > 0 && f.Bitrate > tolerated(bps) {
		return fmt.Sprintf("%d kbit/s where %d are taken", f.Bitrate/1000, bps/1000)
	}
	return ""
}

// tolerated is the rate measured that passes for one taken.
func tolerated(bps int) int { return bps + bps/4 }

// spared is what a source may have on a path with a bound: of a path there is less to
// spare than of a level.
func spared(limit int) int { return limit * 7 / 8 }

// Carries reports whether a path with a bound, 0 for none, carries a source of a bit rate
// that was measured, as a Switch judges it.
func Carries(limit, bps int) bool { return limit == 0 || bps <= tolerated(spared(limit)) }

func packetFits(f *Facts, r *Receiver) string {
	if r.Format.PacketizationMode == 0 && f.LargestNAL > r.room() {
		return fmt.Sprintf("slices of %d bytes where packetization mode 0 takes %d", f.LargestNAL, r.room())
	}
	return ""
}
