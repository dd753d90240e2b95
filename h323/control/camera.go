package control

import (
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h224"
)

// Control of cameras: H.224 over RTP in a data channel of either direction (H.323 Annex Q).
const oidH224 per.OID = "0.0.8.224.1.0"

// cameraBitRate is what is announced for it, in units of 100 bit/s.
const cameraBitRate = 48

func cameraCapability() *h245.DataApplicationCapability {
	return &h245.DataApplicationCapability{
		Application: h245.DataApplicationCapabilityApplication{
			GenericDataCapability: &h245.GenericCapability{CapabilityIdentifier: standard(oidH224)},
		},
		MaxBitRate: cameraBitRate,
	}
}

// readData reads a data capability: of those that there are, camera control is ours.
func readData(c *h245.DataApplicationCapability) []entry {
	if g := c.Application.GenericDataCapability; g == nil || identifier(g) != oidH224 {
		return nil
	}
	f := h224.Format
	f.PayloadType = 0
	return []entry{{role: media.Camera, format: f}}
}

// cameraFormats are what we take for it.
func cameraFormats(can *media.Capabilities) []media.Format {
	if !can.Camera {
		return nil
	}
	return []media.Format{h224.Format}
}
