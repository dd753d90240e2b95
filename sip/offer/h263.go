package offer

import (
	"strconv"
	"strings"

	"github.com/roomgate/roomgate/media"
)

// maxInterval is the largest picture interval of RFC 4629 §8.1.1.
const maxInterval = 32

// h263Fields are the parameters of RFC 4629 §8.1.1 and RFC 4587 §6.1.1 that we
// keep, in the order they are written.
func h263Fields(h *media.H263Format) (sizes []sizeParameter, annexes []annexParameter) {
	return []sizeParameter{{"CIF16", &h.CIF16}, {"CIF4", &h.CIF4}, {"CIF", &h.CIF}, {"QCIF", &h.QCIF}, {"SQCIF", &h.SQCIF}},
		[]annexParameter{
			{"D", &h.AnnexD}, {"E", &h.AnnexE}, {"F", &h.AnnexF}, {"G", &h.AnnexG},
			{"I", &h.AnnexI}, {"J", &h.AnnexJ}, {"K", &h.AnnexK}, {"T", &h.AnnexT},
		}
}

type sizeParameter struct {
	name     string
	interval *uint8
}

type annexParameter struct {
	name string
	on   *bool
}

// readH263 reads picture sizes and options of H.263 and H.261. Old terminals
// separate parameters by spaces or slashes.
func readH263(value string) (h media.H263Format) {
	sizes, annexes := h263Fields(&h)
	level := 0
	for _, part := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("; /", r) }) {
		key, v, _ := strings.Cut(part, "=")
		if strings.EqualFold(key, "maxbr") {
			h.MaxBR = maxBR(v)
			continue
		}
		n, err := strconv.ParseUint(v, 10, 8)
		if err != nil {
			continue
		}
		if strings.EqualFold(key, "level") {
			level = int(n)
		}
		for _, s := range sizes {
			if strings.EqualFold(key, s.name) && n <= maxInterval {
				*s.interval = uint8(n)
			}
		}
		for _, a := range annexes {
			if strings.EqualFold(key, a.name) {
				*a.on = n > 0
			}
		}
	}
	if h.CIF == 0 && h.QCIF == 0 && level > 0 {
		h.CIF, h.QCIF = sizesOfLevel(level)
	}
	return h
}

// maxBR reads a MaxBR, in units of 100 bit/s; what makes no sense says nothing.
func maxBR(v string) uint32 {
	const most = 192400 // H.245
	n, err := strconv.ParseUint(v, 10, 32)
	if err != nil || n > most {
		return 0
	}
	return uint32(n)
}

// sizesOfLevel is what a level takes (H.263 Annex X, table X.1), as far as CIF.
func sizesOfLevel(level int) (cif, qcif uint8) {
	switch {
	case level < 20:
		return 0, 2
	case level < 30:
		return 2, 1
	}
	return 1, 1
}

// writeH263 is the reverse of readH263.
func writeH263(h media.H263Format) string {
	sizes, annexes := h263Fields(&h)
	var parts []string
	for _, s := range sizes {
		if *s.interval > 0 {
			parts = append(parts, s.name+"="+strconv.Itoa(int(*s.interval)))
		}
	}
	for _, a := range annexes {
		if *a.on {
			parts = append(parts, a.name+"=1")
		}
	}
	if h.MaxBR > 0 {
		parts = append(parts, "MaxBR="+strconv.FormatUint(uint64(h.MaxBR), 10))
	}
	return strings.Join(parts, ";")
}
