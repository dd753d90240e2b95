package engine

import "fmt"

// Warm opens every coder once. Libraries look at the processor, load tables and
// read files at their first use, which a confined process cannot do later.
func Warm() error {
	for c := H264; c <= H261; c++ {
		if c.Decodes() {
			d, err := NewDecoder(c)
			if err != nil {
				return err
			}
			d.Close()
		}
		if !c.Encodes() {
			continue
		}
		if err := warmEncoder(c); err != nil {
			return fmt.Errorf("codec %d: %w", c, err)
		}
	}
	return nil
}

// warmEncoder codes a black picture of 352x288, which every codec knows.
func warmEncoder(c Codec) error {
	e, err := NewEncoder(Encoding{Codec: c, Width: 352, Height: 288, Bitrate: 256_000, FPS: 30, Level: 13})
	if err != nil {
		return err
	}
	defer e.Close()
	p, err := NewPicture(352, 288)
	if err != nil {
		return err
	}
	defer p.Release()
	p.Fill(Rect{W: 352, H: 288}, Black)
	_, err = e.Encode(p, 0, false)
	return err
}
