package main

import (
	"encoding/json"
	"errors"
	"math"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/terminal"
)

// errNoMedia makes the exit code 1 after a report that says why.
var errNoMedia = errors.New("the call brought no media both ways")

func terminalCommand() *cobra.Command {
	var o terminal.Options
	var asJSON, verbose bool
	var modes []uint
	cmd := &cobra.Command{
		Use:   "terminal",
		Short: "Be a room terminal: call, send a tone and a picture, measure what comes back",
		Example: "  roomgate terminal --protocol sip --call demo@127.0.0.1\n" +
			"  roomgate terminal --protocol h323 --call demo@127.0.0.1\n" +
			"  roomgate terminal --protocol sip --register room1:secret@127.0.0.1 --listen --duration 1m --json",
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&o.Protocol, "protocol", "sip", "sip or h323")
	f.StringVar(&o.Call, "call", "", "target to call, such as demo@127.0.0.1")
	f.StringVar(&o.Register, "register", "", "USER:PASSWORD@HOST to register with first")
	f.BoolVar(&o.Listen, "listen", false, "wait for a call")
	f.StringVar(&o.Address, "address", "", "local address; default: by the route")
	f.StringVar(&o.Name, "name", "", "display name")
	f.StringVar(&o.User, "user", "", "user part of our address")
	f.StringVar(&o.Transport, "transport", "udp", "udp, tcp or tls")
	f.StringVar(&o.Tunnel, "tunnel", "on", "on or off: H.245 within H.323 call signalling")
	f.StringVar(&o.FastStart, "fast-start", "answer", "on, answer or off: media with the SETUP of H.323")
	f.StringVar(&o.Traversal, "traversal", "", "h460.18 or h460.17: register with H.323 from behind a firewall")
	f.BoolVar(&o.EarlyH245, "early-h245", false, "begin H.245 with the SETUP of H.323")
	f.StringVar(&o.Encryption, "encryption", "off", "off, prefer or require")
	f.BoolVar(&o.TLSVerify, "tls-verify", false, "verify the far side's certificate")
	f.StringVar(&o.Audio, "audio", "tone:1000", "FILE.wav, tone:HZ or silence")
	f.StringVar(&o.Video, "video", "pattern", "pattern, pattern360, card:N (a counted test card), FILE.h264 or none")
	f.Float64Var(&o.FPS, "fps", 0, "pictures a second of it; 0: as its clip is made for")
	f.StringVar(&o.Content, "content", "", "as --video, presented in the second channel; none: take that of others; off: have no second channel")
	f.DurationVar(&o.ContentAfter, "content-after", 0, "when to ask to present, after the answer")
	f.DurationVar(&o.ContentFor, "content-for", 0, "how long to present; 0: to the end")
	f.StringVar(&o.FloorTransport, "floor-transport", "udp", "udp, tcp or tls: how SIP offers floor control")
	f.BoolVar(&o.FloorServer, "floor-server", false, "be ready to control the floor of SIP, as an MCU does")
	f.StringVar(&o.Steer, "steer", "", "move the far side's camera: left,right,up,down,in,out,focus-in,focus-out,store:N,preset:N, or hold:left to the end")
	f.BoolVar(&o.NoCamera, "no-camera-control", false, "take no part in the control of cameras")
	f.BoolVar(&o.FocusCamera, "camera-focus", false, "say that the camera can be focused from afar")
	f.BoolVar(&o.AudioOnly, "audio-only", false, "offer no video at all, as a phone does")
	f.StringSliceVar(&o.Codecs, "codecs", nil, "audio codecs to offer, best first, of opus,G7221C,G7221,G722,PCMA,PCMU,G729")
	f.StringSliceVar(&o.VideoCodecs, "video-codecs", nil, "video codecs to offer, best first, of H264,VP8,H263,H263-1998,H261; default H264")
	f.BoolVar(&o.Tiles, "tiles", false, "decode what is seen and report the test cards on it")
	f.StringVar(&o.Worker, "worker", "auto", "the program that codes test cards; auto: roomgate-video beside this one")
	f.UintSliceVar(&modes, "packetization-modes", nil, "H.264 packetization modes to offer, best first; default 1,0")
	f.StringVar(&o.Vendor, "vendor", "", "shape the offer like polycom, cisco or yealink")
	f.StringVar(&o.DTMF, "dtmf", "", "digits to send after the answer")
	f.DurationVar(&o.DTMFAfter, "dtmf-after", 0, "how long after the answer; default 1s")
	f.StringVar(&o.Path, "path", "", "make media suffer, such as in=512@5s,in=0@15s,loss=20@8s,loss=0@10s; also out and outloss")
	f.BoolVar(&o.Sync, "sync", false, "beep with a test card (--video card:N), and report how well beeps and cards fit together; needs --tiles")
	f.BoolVar(&o.Timeline, "timeline", false, "report what is seen second by second")
	f.DurationVar(&o.Duration, "duration", 0, "how long to stay; 0: until the far side hangs up")
	f.StringVar(&o.RecordAudio, "record-audio", "", "file for what is heard (WAV)")
	f.StringVar(&o.RecordVideo, "record-video", "", "file for what is seen (H.264)")
	f.BoolVar(&asJSON, "json", false, "print one JSON object at the end")
	f.BoolVar(&verbose, "verbose", false, "log to standard error")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		if verbose {
			o.Logger, _ = newLogger(config.Log{Level: "debug", Format: "console"}, cmd.ErrOrStderr())
		}
		if o.Worker == "auto" {
			o.Worker = workerPath(config.Default())
		}
		for _, m := range modes {
			o.PacketizationModes = append(o.PacketizationModes, uint8(min(m, math.MaxUint8)))
		}
		report, err := terminal.Run(ctx, o)
		if err != nil {
			return err
		}
		if asJSON {
			err = json.NewEncoder(cmd.OutOrStdout()).Encode(report)
		} else {
			err = report.Table(cmd.OutOrStdout())
		}
		if err == nil && !report.OK() {
			err = errNoMedia
		}
		return err
	}
	return cmd
}
