package offer

import (
	"strconv"
	"strings"

	"github.com/roomgate/roomgate/media"
)

// readOpus reads the receiver's wishes of RFC 7587 §6.1.
func readOpus(value string) media.OpusFormat {
	var o media.OpusFormat
	eachParameter(value, func(key, v string) {
		switch key {
		case "useinbandfec":
			o.InbandFEC = v == "1"
		case "usedtx":
			o.DTX = v == "1"
		case "stereo":
			o.Stereo = v == "1"
		case "maxaveragebitrate":
			o.MaxAverage = bounded(v, 6000, 510000)
		case "maxplaybackrate":
			o.MaxPlaybackRate = bounded(v, 8000, 48000)
		}
	})
	return o
}

// bounded reads a number and puts it between the limits; zero when it is none.
func bounded(text string, low, high int) int {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n == 0 {
		return 0
	}
	return min(max(int(n), low), high)
}

func writeOpus(o media.OpusFormat) string {
	var list []string
	if o.MaxPlaybackRate > 0 {
		list = append(list, "maxplaybackrate="+strconv.Itoa(o.MaxPlaybackRate))
	}
	if o.MaxAverage > 0 {
		list = append(list, "maxaveragebitrate="+strconv.Itoa(o.MaxAverage))
	}
	if o.Stereo {
		list = append(list, "stereo=1")
	}
	if o.InbandFEC {
		list = append(list, "useinbandfec=1")
	}
	if o.DTX {
		list = append(list, "usedtx=1")
	}
	return strings.Join(list, ";")
}
