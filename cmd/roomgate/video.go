package main

import (
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode/video"
)

// workerName is the video worker's executable.
const workerName = "roomgate-video"

// newVideo makes the pool of video workers. Without one there is a warning, and
// a worker that comes later is picked up.
func newVideo(c *config.Config, log *zap.Logger) *video.Pool {
	p := video.NewPool(video.Config{Program: workerPath(c), Processes: c.Video.Processes, Logger: log})
	if err := p.Available(); err != nil && c.Video.Worker != "off" {
		log.Warn("pictures are passed on as they are, or left out", zap.Error(err))
	}
	return p
}

// workerPath is where the worker is, or would be.
func workerPath(c *config.Config) string {
	switch c.Video.Worker {
	case "off":
		return ""
	case "auto", "":
		self, err := os.Executable()
		if err != nil {
			return ""
		}
		return filepath.Join(filepath.Dir(self), workerName)
	}
	return c.Video.Worker
}

// workerVideo is what legs are offered besides H.264 while there is a worker:
// what softphones and old room systems know.
var workerVideo = []media.Format{
	{Codec: media.VP8, PayloadType: 100, ClockRate: 90000},
	{Codec: media.H263Plus, PayloadType: 103, ClockRate: 90000, H263: allH263},
	{Codec: media.H263, PayloadType: 34, ClockRate: 90000, H263: allH263},
	{Codec: media.H261, PayloadType: 31, ClockRate: 90000, H263: media.H263Format{CIF: 1, QCIF: 1}},
}

// allH263 is every size up to 704x576, without options.
var allH263 = media.H263Format{CIF4: 1, CIF: 1, QCIF: 1, SQCIF: 1}

// shownCodecs are those of pictures that legs can be shown.
func shownCodecs(p *video.Pool) func() []media.Codec {
	return func() []media.Codec {
		if p.Available() != nil {
			return []media.Codec{media.H264}
		}
		return []media.Codec{media.H264, media.VP8, media.VP9, media.AV1}
	}
}

// checkVideo starts a worker and asks what it can do.
func checkVideo(c *config.Config) finding {
	f := finding{"video", good, ""}
	if c.Video.Worker == "off" {
		f.detail = "off: pictures are passed on as they are, or left out"
		return f
	}
	p := video.NewPool(video.Config{Program: workerPath(c), Processes: 1})
	defer p.Close()
	can, err := p.Probe()
	if err != nil {
		f.verdict, f.detail = warning, err.Error()+"; pictures are passed on as they are, or left out"
		return f
	}
	var decodes, encodes []string
	for _, codec := range []media.Codec{media.H264, media.VP8, media.VP9, media.AV1, media.H263, media.H261} {
		if can.Decodes(codec) {
			decodes = append(decodes, string(codec))
		}
		if can.Encodes(codec) {
			encodes = append(encodes, string(codec))
		}
	}
	f.detail = "decodes " + strings.Join(decodes, " ") + ", encodes " + strings.Join(encodes, " ")
	return f
}
