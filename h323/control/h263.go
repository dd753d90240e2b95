package control

import (
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// Bounds of maxBitRate in H.245, in units of 100 bit/s, and what stands for "not told".
const (
	h263MaxUnits = 192400
	h261MaxUnits = 19200
	h26xUnits    = 3840
)

// interval is an MPI that is present when it is not zero.
func interval(mpi, limit uint8) *uint8 {
	if mpi == 0 {
		return nil
	}
	return ptr(min(mpi, limit))
}

func mpi(p *uint8) uint8 {
	if p == nil {
		return 0
	}
	return *p
}

// h263Capability gives the capability of H.263; with options of its second version where
// those are used.
func h263Capability(f media.H263Format, bps int) *h245.H263VideoCapability {
	const limit = 32
	if f.SQCIF|f.QCIF|f.CIF|f.CIF4|f.CIF16 == 0 {
		f.QCIF, f.CIF = 1, 1
	}
	c := &h245.H263VideoCapability{
		SQCIFMPI: interval(f.SQCIF, limit), QCIFMPI: interval(f.QCIF, limit), CIFMPI: interval(f.CIF, limit),
		CIF4MPI: interval(f.CIF4, limit), CIF16MPI: interval(f.CIF16, limit),
		MaxBitRate:         uint32(units(bps, h26xUnits, h263MaxUnits)),
		UnrestrictedVector: f.AnnexD, ArithmeticCoding: f.AnnexE, AdvancedPrediction: f.AnnexF, PbFrames: f.AnnexG,
		ErrorCompensation: ptr(false),
	}
	if f.AnnexI || f.AnnexJ || f.AnnexK || f.AnnexT {
		c.H263Options = &h245.H263Options{
			AdvancedIntraCodingMode: f.AnnexI, DeblockingFilterMode: f.AnnexJ,
			SlicesInOrderNonRect: f.AnnexK, ModifiedQuantizationMode: f.AnnexT,
		}
	}
	return c
}

func h263Format(c *h245.H263VideoCapability) (f media.H263Format, bps int) {
	f = media.H263Format{
		SQCIF: mpi(c.SQCIFMPI), QCIF: mpi(c.QCIFMPI), CIF: mpi(c.CIFMPI), CIF4: mpi(c.CIF4MPI), CIF16: mpi(c.CIF16MPI),
		AnnexD: c.UnrestrictedVector, AnnexE: c.ArithmeticCoding, AnnexF: c.AdvancedPrediction, AnnexG: c.PbFrames,
	}
	if o := c.H263Options; o != nil {
		f.AnnexI, f.AnnexJ = o.AdvancedIntraCodingMode, o.DeblockingFilterMode
		f.AnnexK, f.AnnexT = o.SlicesInOrderNonRect, o.ModifiedQuantizationMode
	}
	return f, int(c.MaxBitRate) * bitRateUnit
}

// h261Capability gives the capability of H.261, which knows two sizes.
func h261Capability(f media.H263Format, bps int) *h245.H261VideoCapability {
	const limit = 4
	if f.QCIF|f.CIF == 0 {
		f.QCIF, f.CIF = 1, 1
	}
	return &h245.H261VideoCapability{
		QCIFMPI: interval(f.QCIF, limit), CIFMPI: interval(f.CIF, limit),
		MaxBitRate: uint16(units(bps, h26xUnits, h261MaxUnits)), VideoBadMBsCap: ptr(false),
	}
}

func h261Format(c *h245.H261VideoCapability) (f media.H263Format, bps int) {
	return media.H263Format{QCIF: mpi(c.QCIFMPI), CIF: mpi(c.CIFMPI)}, int(c.MaxBitRate) * bitRateUnit
}
