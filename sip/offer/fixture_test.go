package offer

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// folders of vectors, from this package.
var folders = []string{"../../testdata/sdp", "../../testdata/sip/vendors"}

// fixture reads a vector and splits the body from a whole SIP message.
func fixture(t testing.TB, name string) (body []byte, contentType string) {
	t.Helper()
	for _, folder := range folders {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		if !strings.HasSuffix(name, ".sip") {
			return data, ""
		}
		head, body, ok := bytes.Cut(data, []byte("\r\n\r\n"))
		require.True(t, ok, "no end of headers")
		for _, line := range strings.Split(string(head), "\r\n") {
			if key, value, _ := strings.Cut(line, ":"); strings.EqualFold(key, "content-type") {
				contentType = strings.TrimSpace(value)
			}
		}
		return body, contentType
	}
	require.FailNow(t, "no such vector", name)
	return nil, ""
}

func described(t testing.TB, name string) *Description {
	t.Helper()
	body, contentType := fixture(t, name)
	d, err := Parse(body, contentType)
	require.NoError(t, err)
	return d
}

// keys is a source of key material that is the same in every run.
func keys(seed byte) io.Reader { return rand.NewChaCha8([32]byte{seed}) }

// Formats as the gateway offers them.
var (
	opus      = media.Format{Codec: media.Opus, PayloadType: 107, ClockRate: 48000, Channels: 2, Opus: media.OpusFormat{InbandFEC: true}}
	g722      = media.Format{Codec: media.G722, PayloadType: 9, ClockRate: 8000}
	pcma      = media.Format{Codec: media.PCMA, PayloadType: 8, ClockRate: 8000}
	pcmu      = media.Format{Codec: media.PCMU, PayloadType: 0, ClockRate: 8000}
	cn        = media.Format{Codec: media.ComfortNoise, PayloadType: 13, ClockRate: 8000}
	baseMode1 = h264Format(97, 0x42e01f, 1)
	baseMode0 = h264Format(98, 0x42e01f, 0)
	highMode1 = h264Format(99, 0x640c1f, 1)
)

func h264Format(pt uint8, id uint32, mode uint8) media.Format {
	return media.Format{
		Codec: media.H264, PayloadType: pt, ClockRate: 90000,
		H264: media.H264Format{ProfileLevelID: id, PacketizationMode: mode, AsymmetryAllowed: true},
	}
}

var (
	ourV4 = netip.MustParseAddr("203.0.113.5")
	ourV6 = netip.MustParseAddr("2001:db8::5")
)

// gateway is our side as it usually is: everything we can do, over TLS.
func gateway() *Local {
	return &Local{
		Capabilities: media.Capabilities{
			Audio:    []media.Format{opus, g722, pcma, pcmu},
			Video:    []media.Format{baseMode1, baseMode0, highMode1},
			Content:  []media.Format{baseMode1, baseMode0, highMode1},
			MaxVideo: 2_000_000,
			Keypad:   true,
		},
		Address:    ourV4,
		Transport:  [4]Transport{{RTP: 20000}, {RTP: 20002}, {RTP: 20004}},
		Name:       "roomgate",
		ID:         1234,
		Version:    1,
		Encryption: Prefer,
		Secure:     true,
		Rand:       keys(1),
		Fingerprint: Fingerprint{
			Hash:  "sha-256",
			Value: strings.TrimSuffix(strings.Repeat("0A:", 32), ":"),
		},
	}
}

// facts writes what was agreed for every m-line, one line each.
func facts(r *Result, sections int) []string {
	list := make([]string, sections)
	for i := range list {
		list[i] = "-"
	}
	for _, a := range r.Applications {
		list[a.Index] = "- " + applicationFacts(a)
	}
	for i := range r.Media {
		list[r.Media[i].Index] = mediumFacts(&r.Media[i])
	}
	return list
}

func applicationFacts(a Application) string {
	text := string(a.Kind)
	if a.Kind == OtherLine {
		return text
	}
	text += fmt.Sprintf(" %d", a.Address.Port())
	if b := a.BFCP; b != nil {
		role := map[[2]bool]string{{true, false}: "c", {false, true}: "s", {true, true}: "cs"}[[2]bool{b.Client, b.Server}]
		text += fmt.Sprintf(" %s role=%s conf=%d user=%d", a.Profile, role, b.ConferenceID, b.UserID)
		for _, f := range b.Floors {
			text += fmt.Sprintf(" floor=%d%v", f.ID, f.Labels)
		}
		if a.Setup != "" {
			text += " " + a.Setup
		}
	}
	return text
}

func mediumFacts(m *Medium) string {
	s := m.Stream
	text := fmt.Sprintf("%s %s=%d %s %s", s.Role, s.Send.Codec, s.Send.PayloadType, s.Direction, m.RTP)
	if s.Recv.PayloadType != s.Send.PayloadType {
		text += fmt.Sprintf(" recv=%d", s.Recv.PayloadType)
	}
	switch {
	case m.SRTP != nil:
		text += fmt.Sprintf(" srtp=%d/%s", m.SRTP.In.Tag, m.SRTP.In.Suite)
	case m.DTLS != nil:
		text += fmt.Sprintf(" dtls active=%v", m.DTLS.Active)
	}
	if s.Send.Codec == media.H264 {
		h := s.Send.H264
		text += fmt.Sprintf(" %06x/%d", h.ProfileLevelID, h.PacketizationMode)
		if h.MaxFS > 0 {
			text += fmt.Sprintf(" fs=%d", h.MaxFS)
		}
	} else {
		text += fmt.Sprintf(" %dms", s.Send.Ptime.Milliseconds())
	}
	if s.Keypad {
		text += fmt.Sprintf(" dtmf=%d/%d", m.SendEvents.PayloadType, m.SendEvents.ClockRate)
	}
	if s.MaxSend > 0 {
		text += fmt.Sprintf(" max=%d", s.MaxSend)
	}
	for _, f := range []struct {
		name string
		on   bool
	}{{"nack", m.Feedback.NACK}, {"pli", m.Feedback.PLI}, {"fir", m.Feedback.FIR}, {"tmmbr", m.Feedback.TMMBR}, {"remb", m.Feedback.REMB}, {"mux", m.Mux}} {
		if f.on {
			text += " " + f.name
		}
	}
	if m.RTCP.Port() != m.RTP.Port()+1 && !m.Mux {
		text += " rtcp=" + m.RTCP.String()
	}
	return text
}

// strict reads a body as pion does, which forgives nothing. Closed m-lines,
// which repeat what the offer had, are put in words that pion knows.
func strict(t testing.TB, body []byte) {
	t.Helper()
	lines := strings.Split(string(body), "\r\n")
	for i, line := range lines {
		if f := strings.Fields(line); strings.HasPrefix(line, "m=") && f[1] == "0" {
			lines[i] = "m=application 0 RTP/AVP 0"
		}
	}
	var s sdp.SessionDescription
	require.NoError(t, s.UnmarshalString(strings.Join(lines, "\r\n")), "%s", body)
}

// isKnown: the error is one that callers tell apart.
func isKnown(err error) bool {
	var required *EncryptionRequiredError
	return errors.Is(err, ErrNoSDP) || errors.Is(err, ErrUnusable) || errors.Is(err, ErrNoCommonMedia) || errors.As(err, &required)
}
