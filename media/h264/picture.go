package h264

// pictureWriter sends the pictures of one stream on: parameter sets where they
// belong, slices, and a marker at the end of each access unit whatever was left
// out of it.
type pictureWriter struct {
	packets *Packetizer
	open    bool   // something of access unit stamp was sent
	marked  bool   // and its end, too
	stamp   uint32 // as received
}

var markerFiller = []byte{byte(Filler), 0xff, 0x80}

// slice sends one slice. sets are those of the stream, sps the active one;
// starts says that the slice opens an IDR picture.
func (w *pictureWriter) slice(u Unit, sets *parameterSets, sps *SPS, starts bool, offset uint32) error {
	out := Unit{u.NAL, u.Timestamp + offset, u.Last}
	var before [][]byte
	if starts {
		before = sets.units(sps.ID)
	} else {
		before = sets.changed()
	}
	if err := w.packets.WriteTogether(before, out.Timestamp); err != nil {
		return err
	}
	w.open, w.marked, w.stamp = true, u.Last, u.Timestamp
	return w.packets.Write(out)
}

// leftOut is told of units that are not sent on. The end of an access unit
// must show all the same: filler data (§7.3.2.7) carries the marker.
func (w *pictureWriter) leftOut(u Unit, offset uint32) error {
	if !u.Last || !w.open || w.marked || w.stamp != u.Timestamp {
		return nil
	}
	w.marked = true
	return w.packets.Write(Unit{markerFiller, u.Timestamp + offset, true})
}
