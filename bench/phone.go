package bench

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/roomgate/roomgate/bench/caller"
	"github.com/roomgate/roomgate/bench/traffic"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode/video/cards"
)

// casting says what a phone or a partner plays, and what looks at what it gets.
type casting struct {
	sound    *traffic.Sound // nil: none
	pictures bool
	clip     []cards.Picture // of pictures that can be decoded; nil: noise
	loud     *stamps         // when bursts were sent, for sounds of bursts
	// heard and seen get every payload.
	heard, seen func(now time.Time, payload []byte)
}

// phone is a terminal in a call.
type phone struct {
	call         conversation
	setUp        time.Duration
	answered     time.Time
	audio, video *traffic.Stream
	stamps       *stamps // of the pictures it sends
	remove       []func()
}

// conversation is the signalling of a call.
type conversation interface{ Hangup(context.Context) error }

// answerTime bounds a set-up: what is not answered then is lost (64*T1).
const answerTime = 32 * time.Second

// dial calls a meeting and plays as soon as the call is answered.
func (st *stage) dial(ctx context.Context, i int, alias string, play casting) (*phone, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	port := st.ports[i%len(st.ports)]
	p := &phone{stamps: newStamps()}
	var audio, video netip.AddrPort
	var err error
	if st.gateway.h323.IsValid() {
		audio, video, err = st.setUpH323(ctx, p, i, alias, port, play)
	} else {
		audio, video, err = st.setUpSIP(ctx, p, i, alias, port, play)
	}
	if err != nil {
		return nil, fmt.Errorf("call %d to %s: %w", i, alias, err)
	}
	if audio.IsValid() {
		p.audio = port.Open(audio, pcmu.PayloadType, play.heard)
		if play.sound != nil {
			p.remove = append(p.remove, st.wheel.Add(playSound(play, func(payload []byte, marker bool, _ uint8) {
				p.audio.Send(payload, marker, play.sound.Step())
			})))
		}
	}
	if video.IsValid() && play.pictures {
		p.video = port.Open(video, h264.PayloadType, play.seen)
		if play.clip != nil {
			p.remove = append(p.remove, st.camera.Add(playClip(play.clip, i, p.video.Send)))
		} else {
			p.remove = append(p.remove, st.camera.Add(playPictures(p.stamps, func() bool { return false }, func(payload []byte, last bool, step uint32) {
				p.video.Send(payload, last, step)
			})))
		}
	}
	st.mu.Lock()
	st.phones = append(st.phones, p)
	st.mu.Unlock()
	return p, nil
}

// setUpSIP calls by SIP, and gives where media goes.
func (st *stage) setUpSIP(ctx context.Context, p *phone, i int, alias string, port *traffic.Port, play casting) (audio, video netip.AddrPort, err error) {
	agent := st.agents[i%len(st.agents)]
	c, err := agent.Invite(ctx, alias, offer(port, play), account(i))
	if err != nil {
		return audio, video, err
	}
	p.call, p.setUp, p.answered = c, c.SetUp, c.Answered
	if m, ok := c.To("audio"); ok {
		audio = m.To
	}
	if m, ok := c.To("video"); ok {
		video = m.To
	}
	return audio, video, nil
}

// setUpH323 is setUpSIP by H.323.
func (st *stage) setUpH323(ctx context.Context, p *phone, i int, alias string, port *traffic.Port, play casting) (audio, video netip.AddrPort, err error) {
	var can media.Capabilities
	if play.sound != nil || !play.pictures {
		can.Audio = []media.Format{pcmu}
	}
	if play.pictures {
		f := h264
		f.H264 = media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1}
		can.Video, can.MaxVideo = []media.Format{f}, 4_000_000
	}
	from := netip.AddrFrom4([4]byte{127, 0, 2, byte(1 + i%250)})
	c, err := caller.Place(ctx, from, st.gateway.h323, alias, port.Addr(), can)
	if err != nil {
		return audio, video, err
	}
	p.call, p.setUp, p.answered = c, c.SetUp, c.Answered
	audio, _ = c.To(media.Audio)
	video, _ = c.To(media.Main)
	return audio, video, nil
}

func (p *phone) hangUp() {
	for _, remove := range p.remove {
		remove()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = p.call.Hangup(ctx) // the gateway is stopped after all
	for _, s := range []*traffic.Stream{p.audio, p.video} {
		if s != nil {
			s.Close()
		}
	}
}

// offer is a session description for what is played. Keys are events (RFC 4733), as nearly
// every phone has them, so that nobody listens for their tones.
func offer(port *traffic.Port, play casting) string {
	at := port.Addr()
	sdp := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n", at.Addr(), at.Addr())
	if play.sound != nil || !play.pictures {
		sdp += fmt.Sprintf("m=audio %d RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=rtcp-mux\r\n", at.Port())
	}
	if play.pictures {
		sdp += fmt.Sprintf("m=video %d RTP/AVP %d\r\nb=TIAS:4000000\r\na=rtpmap:%[2]d H264/90000\r\n"+
			"a=fmtp:%[2]d profile-level-id=42e01f;packetization-mode=1\r\na=rtcp-fb:* nack pli\r\na=rtcp-mux\r\n", at.Port(), h264.PayloadType)
	}
	return sdp
}

// playSound sends a sound packet by packet, over and over.
func playSound(play casting, send func(payload []byte, marker bool, level uint8)) func(time.Time) {
	next, first := 0, true
	return func(time.Time) {
		s := play.sound
		level := s.Levels[next]
		if s.Loud != nil && s.Loud[next] && play.loud != nil {
			play.loud.sent(1)
		}
		send(s.Packets[next], first, level)
		next, first = (next+1)%len(s.Packets), false
	}
}

// frameSize makes 1.5 Mbit/s of 30 frames a second, one of them a keyframe of
// five times the size.
const frameSize = 1_500_000 / 8 / 34

// playPictures sends frames, a keyframe every second and when asked.
func playPictures(at *stamps, asked func() bool, send func(payload []byte, last bool, step uint32)) func(time.Time) {
	picture := traffic.NewPicture(frameSize)
	frame := 0
	return func(time.Time) {
		picture.Next(frame%30 == 0 || asked(), func(payload []byte, last bool, stamp uint32) {
			if stamp != 0 {
				at.sent(stamp)
			}
			step := uint32(0)
			if last {
				step = 3000
			}
			send(payload, last, step)
		})
		frame++
	}
}

// playClip sends a clip over and over, beginning anywhere.
func playClip(clip []cards.Picture, from int, send func(payload []byte, last bool, step uint32)) func(time.Time) {
	at := from * 7 % len(clip)
	return func(time.Time) {
		for _, p := range clip[at] {
			step := uint32(0)
			if p.Marker {
				step = 3000
			}
			send(p.Payload, p.Marker, step)
		}
		at = (at + 1) % len(clip)
	}
}

// packetRate is how many packets a second the pictures of one sender are: the
// parameter sets are two of them.
const packetRate = 29*((frameSize+1179)/1180) + (5*frameSize+1179)/1180 + 2
