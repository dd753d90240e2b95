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
