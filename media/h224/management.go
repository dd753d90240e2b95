package h224

import "fmt"

// Messages of the client management entity (H.224 clause 9): which clients there
// are, and what they can do.
const (
	clientList   = 1
	capabilities = 2
	tells        = 0x00
	asks         = 0xff

	hasMore = 0x80 // a client with capabilities of its own
)

// Abilities are what the camera at the far end can do (H.281 clause 6).
type Abilities struct {
	Presets                uint8 // how many it keeps, 0 to 15
	Pan, Tilt, Zoom, Focus bool
}

// mainCamera is the number of the source that is there always (H.281 Table 4).
const mainCamera = 1

// marshalClients lists the clients we are.
func marshalClients() []byte { return []byte{clientList, tells, 1, byte(CameraControl) | hasMore} }

// marshalAbilities tells what the camera here can do: one source with motion.
func marshalAbilities(a Abilities) []byte {
	axes := byte(0)
	for i, can := range []bool{a.Pan, a.Tilt, a.Zoom, a.Focus} {
		if can {
			axes |= 0x80 >> i
		}
	}
	return []byte{capabilities, tells, byte(CameraControl) | hasMore, a.Presets & 0x0f, mainCamera<<4 | 0x04, axes}
}

// parseAbilities reads what the far end tells of its first source.
func parseAbilities(data []byte) (Abilities, error) {
	if len(data) < 6 || data[0] != capabilities || data[1] != tells || Client(data[2]&0x7f) != CameraControl {
		return Abilities{}, fmt.Errorf("h224: no abilities of a camera")
	}
	a := Abilities{Presets: data[3] & 0x0f}
	axes := data[5:]
	if data[4]>>4 > 5 { // a source with a name, which ends with a zero
		for len(axes) > 0 && axes[0] != 0 {
			axes = axes[1:]
		}
		if len(axes) < 2 {
			return a, fmt.Errorf("h224: a source without its axes")
		}
		axes = axes[1:]
	}
	a.Pan, a.Tilt, a.Zoom, a.Focus = axes[0]&0x80 != 0, axes[0]&0x40 != 0, axes[0]&0x20 != 0, axes[0]&0x10 != 0
	return a, nil
}
