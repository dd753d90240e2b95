package rtpconn

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/netip"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

// FFmpeg has an SRTP of its own: what it protects with an SDES key opens here.
func TestFFmpegSendsSRTP(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("SKIPPED: ffmpeg is not installed, SRTP was not tried against another implementation")
	}
	for suite, name := range map[secure.Suite]string{
		secure.AES128CM80: "AES_CM_128_HMAC_SHA1_80",
		// Under the SDES name FFmpeg shortens the tag of SRTCP too, which RFC
		// 4568 §6.2 keeps at 80 bits; under the DTLS name it does not.
		secure.AES128CM32: "SRTP_AES128_CM_HMAC_SHA1_32",
	} {
		t.Run(string(suite), func(t *testing.T) {
			s, _ := open(t, func(c *Config) { c.Latching = LatchOn })
			k := newKey(t, suite)
			require.NoError(t, s.Apply(Params{
				Remote: netip.AddrPortFrom(loopback, 9), Direction: media.RecvOnly,
				Receive: map[uint8]media.Format{0: pcmu}, Security: Security{Send: &k, Receive: &k},
			}))
			ctx, cancel := context.WithCancel(t.Context())
			cmd := exec.CommandContext(ctx, ffmpeg, "-hide_banner", "-loglevel", "error", "-re",
				"-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=8000", "-c:a", "pcm_mulaw", "-ac", "1",
				"-f", "rtp", "-srtp_out_suite", name,
				"-srtp_out_params", base64.StdEncoding.EncodeToString(k.Master),
				fmt.Sprintf("srtp://%v", s.LocalRTP()))
			require.NoError(t, cmd.Start())
			defer func() {
				cancel()
				_ = cmd.Wait() // killed
			}()
			track := receive(t, s.Tracks(), "a track")
			in := newInbox()
			defer track.Attach(in)()
			for range 10 {
				require.NotEmpty(t, in.next(t).Payload)
			}
			require.Zero(t, s.Counters().Unauthentic)
			require.Zero(t, s.Counters().Malformed)
		})
	}
}
