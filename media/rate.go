package media

// leastPicture is the bit rate below which a call carries sound alone.
const leastPicture = 48_000

// Within is what can be done in a call of so many bit/s, sound included; 0 is any.
// Pictures have what sound leaves, and content half of that, since main video goes on
// beside it. The smaller of this and Rate counts.
func (c Capabilities) Within(bps int) Capabilities {
	if bps <= 0 || c.Rate > 0 && c.Rate <= bps {
		return c
	}
	c.Rate = bps
	left := bps - soundRate(c.Audio)
	if left < leastPicture {
		c.Video, c.Content = nil, nil
		return c
	}
	c.MaxVideo, c.MaxContent = least(c.MaxVideo, left), least(c.MaxContent, left/2)
	c.Video, c.Content = atMost(c.Video, c.MaxVideo), atMost(c.Content, c.MaxContent)
	return c
}

// PictureRate is what a call of so many bit/s leaves for pictures; 0 is any.
func (c Capabilities) PictureRate(role Role) int {
	switch {
	case c.Rate == 0:
		return 0
	case role == Main:
		return c.MaxVideo
	case role == Content:
		return c.MaxContent
	}
	return 0
}

func least(a, b int) int {
	if a <= 0 {
		return b
	}
	return min(a, b)
}

// soundRate is the bit rate that sound takes at most.
func soundRate(formats []Format) int {
	most := 0
	for _, f := range formats {
		rate := 64_000 // of G.711, G.722, and of Opus in mono
		switch {
		case f.Codec.Is(string(G729)):
			rate = 8_000
		case f.Bitrate > 0:
			rate = f.Bitrate
		}
		most = max(most, rate)
	}
	return most
}

// atMost takes from H.264 formats the bit rates beyond their level (RFC 6184 §8.1,
// max-br) that a call has no room for.
func atMost(formats []Format, bps int) []Format {
	if len(formats) == 0 {
		return nil
	}
	out := make([]Format, len(formats))
	for i, f := range formats {
		if int(f.H264.MaxBR) > bps/1000 {
			f.H264.MaxBR = 0
		}
		out[i] = f
	}
	return out
}
