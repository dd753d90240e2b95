package terminal

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/portpool"
)

// ErrOptions is wrapped by every refusal of Options.
var ErrOptions = errors.New("terminal options")

// Options say what the terminal does.
type Options struct {
	Protocol string // sip (default), h323
	// Call is the target to call, such as demo@127.0.0.1 or
	// sip:demo@host:5060;transport=tcp.
	Call     string
	Register string // USER:PASSWORD@HOST[:PORT], optional; also answers challenges of the call
	Listen   bool   // answer one call instead of placing one
	Address  string // local host or host:port; "" = chosen by route, port free
	Name     string // display name
	User     string // user part of our address; "" = that of Register, or "terminal"

	Transport  string // udp (default), tcp, tls
	Encryption string // off (default), prefer, require
	TLSVerify  bool   // verify the peer's certificate

	Audio string // FILE.wav, tone:HZ (default tone:1000), silence
	// Video is pattern (default), pattern360, card:N, page:N (of text, that tells whether it
	// came sharp), both with @WIDTHxHEIGHT or by what the far side takes, FILE.h264 (Annex
	// B), none.
	Video string
	// FPS is how many pictures of the camera are sent in a second, 1 to 60; 0 = as many as its
	// clip is made for, 30 of patterns and cards. A clip of another rate plays slower or faster;
	// pages keep theirs, five.
	FPS float64
	// Content is as Video, sent as the second video once the right to present was
	// granted; "" or none takes the content of others alone; off has no second
	// video at all.
	Content string
	// ContentAfter is how long after the answer it asks to present; ContentFor how
	// long it presents, 0 = to the end.
	ContentAfter, ContentFor time.Duration
	// FloorTransport is what offers of SIP name for floor control: udp (default),
	// tcp, tls. FloorServer makes the terminal ready to control the floor, as an
	// MCU does.
	FloorTransport string
	FloorServer    bool
	// NoCamera takes no part in the control of cameras. Steer moves the far side's once
	// the call is up: left, right, up, down, in, out, focus-in, focus-out (for half a second
	// each, or as hold:left to the end of the call), store:N, preset:N, in this order, with
	// commas between. FocusCamera makes the camera one that can be focused from afar.
	NoCamera    bool
	FocusCamera bool
	Steer       string
	// AudioOnly offers no video at all; Video "none" receives it all the same.
	AudioOnly bool
	// Codecs to offer for audio, in order, of opus, G7221C, G7221 (at a bit rate
	// other than the highest: G7221C@24000), G722, PCMA, PCMU and G729; default
	// G722, PCMA, PCMU, or what the vendor's terminals offer.
	Codecs []string
	// VideoCodecs to offer, in order, of H264 (default), VP8, H263, H263-1998,
	// H261. Of others than H264 only test cards can be sent.
	VideoCodecs []string
	// Worker is the program that codes and decodes test cards, roomgate-video;
	// Tiles reads the cards that are seen.
	Worker string
	Tiles  bool
	// PacketizationModes of H.264 to offer, in order; default 1, 0.
	PacketizationModes []uint8
	Vendor             string // "", polycom, cisco, yealink: shapes the offer like theirs
	MaxBitrate         int    // of video we ask to receive, bit/s; 0 = 2 Mbit/s

	DTMF      string        // digits to send once connected
	DTMFAfter time.Duration // after the answer; default 1 s

	// Path makes media suffer: "in=512@5s,in=0@15s,loss=20@8s" lets 512 kbit/s in from
	// the fifth second of the call on, all from the fifteenth, and loses every fifth
	// packet that comes from the eighth on; out and outloss are for what is sent.
	Path string
	// Sync sends a beep with every round of a test card, in place of Audio, and reports how
	// beeps and cards that come fit together; it needs Tiles.
	Sync bool
	// Timeline reports what was seen second by second.
	Timeline bool

	Duration    time.Duration // of the call after the answer; 0 = until the far side or ctx ends it
	RecordVideo string        // file for the received Annex B stream
	RecordAudio string        // file for the received audio, WAV

	// Tunnel, FastStart and EarlyH245 choose how an H.323 call is set up:
	// "on" (default) or "off"; "answer" (default), "on" or "off"; false.
	Tunnel, FastStart string
	EarlyH245         bool
	// Traversal is how an H.323 terminal that registers passes a firewall: "" (there
	// is none), h460.18 or h460.17.
	Traversal string

	Ports  *portpool.Pool // of media; nil makes one
	Logger *zap.Logger    // nil = silent

	// Ready, when set, is called once the terminal listens (and, with
	// Register, is registered), with its SIP address, sip:user@host:port.
	Ready func(address string)
	// Connected, when set, is called when the call is up.
	Connected func()

	// enough, when set, is asked now and then whether the call may end; tests
	// wait by it for what they measure.
	enough func(packets uint64, frames [media.Content + 1]int, digits string) bool
}

// prepared are Options with defaults, taken apart.
type prepared struct {
	Options
	account  account
	steer    []steering
	path     *path // nil: a good one
	beeper   atomic.Pointer[beeper]
	hertz    float64 // of tone:HZ; 0 = not a tone
	bindHost string
	bindPort string
}

type account struct{ user, password, host string }

func (o Options) prepare() (*prepared, error) {
	p := &prepared{Options: o}
	fill(&p.Protocol, "sip")
	fill(&p.Transport, "udp")
	fill(&p.Encryption, "off")
	fill(&p.Audio, "tone:1000")
	fill(&p.Video, "pattern")
	fill(&p.Content, "none")
	fill(&p.FloorTransport, "udp")
	fill(&p.Tunnel, "on")
	fill(&p.FastStart, "answer")
	if p.DTMFAfter <= 0 {
		p.DTMFAfter = time.Second
	}
	if len(p.Codecs) == 0 {
		if p.Codecs = vendors[p.Vendor].codecs; p.Codecs == nil {
			p.Codecs = defaultCodecs
		}
	}
	if len(p.VideoCodecs) == 0 {
		p.VideoCodecs = []string{"H264"}
	}
	if len(p.PacketizationModes) == 0 {
		p.PacketizationModes = []uint8{1, 0}
	}
	if p.MaxBitrate == 0 {
		p.MaxBitrate = 2_000_000
	}
	if p.Logger == nil {
		p.Logger = zap.NewNop()
	}
	for _, check := range []func() error{p.checkChoices, p.checkVideo, p.checkAccount, p.checkAudio, p.checkSteer, p.checkAddress, p.checkPath} {
		if err := check(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOptions, err)
		}
	}
	return p, nil
}

func fill(s *string, def string) {
	if *s == "" {
		*s = def
	}
}

func (p *prepared) checkChoices() error {
	for _, c := range []struct{ name, value, choices string }{
		{"protocol", p.Protocol, "sip h323"},
		{"transport", p.Transport, "udp tcp tls"},
		{"encryption", p.Encryption, "off prefer require"},
		{"floor transport", p.FloorTransport, "udp tcp tls"},
		{"tunnel", p.Tunnel, "on off"},
		{"fast start", p.FastStart, "on answer off"},
		{"traversal", p.Traversal, " h460.18 h460.17"},
		{"vendor", p.Vendor, " polycom cisco yealink"},
	} {
		known := false
		for _, choice := range strings.Split(c.choices, " ") {
			known = known || c.value == choice
		}
		if !known {
			return fmt.Errorf("%s %q is none of: %s", c.name, c.value, c.choices)
		}
	}
	for _, m := range p.PacketizationModes {
		if m > 1 {
			return fmt.Errorf("packetization mode %d is not 0 or 1", m)
		}
	}
	if p.Listen == (p.Call != "") {
		return errors.New("either a target to call or listen")
	}
	return nil
}

func (p *prepared) checkVideo() error {
	for _, name := range p.VideoCodecs {
		if !strings.EqualFold(name, "H264") && videoFormat(name).Codec == "" {
			return fmt.Errorf("video codec %q is none of: H264 VP8 H263 H263-1998 H261", name)
		}
	}
	if p.FPS != 0 && (p.FPS < 1 || p.FPS > 60) {
		return fmt.Errorf("%g pictures a second are not 1 to 60", p.FPS)
	}
	if p.FPS != 0 && p.Sync {
		return errors.New("cards that beep have a rate of their own")
	}
	for _, source := range []string{p.Video, p.Content} {
		if _, ok := parseCards(source); !ok && isCards(source) {
			return fmt.Errorf("%q is not card:N or page:N with N up to 63, and @WIDTHxHEIGHT of even numbers", source)
		}
	}
	return nil
}

func (p *prepared) checkAccount() error {
	if p.Register != "" {
		at := strings.LastIndexByte(p.Register, '@')
		user, password, ok := strings.Cut(p.Register[:max(at, 0)], ":")
		if at < 0 || !ok || user == "" || at+1 == len(p.Register) {
			return fmt.Errorf("register is not USER:PASSWORD@HOST")
		}
		p.account = account{user, password, p.Register[at+1:]}
	}
	fill(&p.User, p.account.user)
	fill(&p.User, "terminal")
	return nil
}

func (p *prepared) checkAudio() error {
	hz, ok := strings.CutPrefix(p.Audio, "tone:")
	if !ok {
		return nil
	}
	v, err := strconv.ParseFloat(hz, 64)
	if err != nil || v < 50 || v > 20000 {
		return fmt.Errorf("audio tone of %q Hz", hz)
	}
	p.hertz = v
	return nil
}

func (p *prepared) checkAddress() error {
	p.bindHost, p.bindPort = "", "0"
	if p.Address == "" {
		return nil
	}
	if host, port, err := net.SplitHostPort(p.Address); err == nil {
		p.bindHost, p.bindPort = host, port
	} else {
		p.bindHost = strings.Trim(p.Address, "[]")
	}
	if _, err := netip.ParseAddr(p.bindHost); err != nil {
		return fmt.Errorf("local address %q", p.Address)
	}
	return nil
}
