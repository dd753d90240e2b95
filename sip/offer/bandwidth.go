package offer

import (
	"github.com/pion/sdp/v3"

	"github.com/roomgate/roomgate/media"
)

// What lower layers add, for b=AS and b=CT, which count it: 50 packets of
// sound a second with 40 bytes of IP, UDP and RTP each; about 3 % for video.
const (
	audioOverhead = 50 * 40 * 8
	minAudio      = 6000 // the least Opus can do
)

// maxSend is what the writer of the m-line lets us send, in bit/s of media:
// the least of what it and its session state; zero: no limit. In every place
// TIAS (RFC 3890) goes before AS and CT. A limit of zero is none.
func (s *Section) maxSend(role media.Role) int {
	line := limit(s.lines.Bandwidth, role)
	session := limit(s.session.Bandwidth, role)
	if line == 0 || session > 0 && session < line {
		return session
	}
	return line
}

func limit(list []sdp.Bandwidth, role media.Role) int {
	tias, total := uint64(0), uint64(0)
	for _, b := range list {
		switch {
		case b.Bandwidth == 0:
		case b.Type == "TIAS":
			tias = b.Bandwidth
		case b.Type == "AS", b.Type == "CT" && total == 0:
			total = b.Bandwidth * 1000
		}
	}
	const most = 1 << 31 // bit/s; more is no limit
	switch {
	case tias >= most, tias == 0 && total >= most:
		return 0
	case tias > 0:
		return int(tias)
	case total == 0:
		return 0
	case role == media.Audio:
		return max(int(total)-audioOverhead, minAudio)
	}
	return int(total) * 97 / 100
}

// bandwidth writes what we ask to receive: TIAS, and AS for those who know no
// other.
func bandwidth(bps int) []sdp.Bandwidth {
	if bps <= 0 {
		return nil
	}
	return []sdp.Bandwidth{
		{Type: "AS", Bandwidth: (uint64(bps)*100/97 + 999) / 1000},
		{Type: "TIAS", Bandwidth: uint64(bps)},
	}
}

// callRate writes the bit rate of the whole call at the session (RFC 4566 §5.8,
// RFC 3890), as room systems state it: without what lower layers add.
func callRate(bps int) []sdp.Bandwidth {
	if bps <= 0 {
		return nil
	}
	return []sdp.Bandwidth{
		{Type: "AS", Bandwidth: uint64(bps) / 1000},
		{Type: "TIAS", Bandwidth: uint64(bps)},
	}
}
