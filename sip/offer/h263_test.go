package offer

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/media"
)

// Parameters of H.263 and H.261 as terminals write them.
func TestH263Parameters(t *testing.T) {
	for _, tc := range []struct {
		text    string
		want    media.H263Format
		written string // "": as text
	}{
		{"", media.H263Format{}, ""},
		{"CIF4=1;CIF=1;QCIF=1", media.H263Format{CIF4: 1, CIF: 1, QCIF: 1}, ""},
		{"QCIF=2 CIF=3 MaxBR=1280", media.H263Format{CIF: 3, QCIF: 2, MaxBR: 1280}, "CIF=3;QCIF=2;MaxBR=1280"},
		{"CIF=1;MAXBR=3840;D=1", media.H263Format{CIF: 1, AnnexD: true, MaxBR: 3840}, "CIF=1;D=1;MaxBR=3840"},
		{"CIF=1;MaxBR=-5", media.H263Format{CIF: 1}, "CIF=1"},
		{"CIF=1;MaxBR=99999999", media.H263Format{CIF: 1}, "CIF=1"},
		{"CIF=1/QCIF=1", media.H263Format{CIF: 1, QCIF: 1}, "CIF=1;QCIF=1"},
		{"CIF=1;QCIF=1;CUSTOM=640,360,2;F=1;I=1;J=1;T=1", media.H263Format{CIF: 1, QCIF: 1, AnnexF: true, AnnexI: true, AnnexJ: true, AnnexT: true},
			"CIF=1;QCIF=1;F=1;I=1;J=1;T=1"},
		{"profile=0;level=10", media.H263Format{QCIF: 2}, "QCIF=2"},
		{"profile=0; level=45", media.H263Format{CIF: 1, QCIF: 1}, "CIF=1;QCIF=1"},
		{"cif=99;qcif=x;d=1", media.H263Format{AnnexD: true}, "D=1"},
	} {
		got := readH263(tc.text)
		assert.Equal(t, tc.want, got, tc.text)
		written := tc.written
		if written == "" {
			written = tc.text
		}
		assert.Equal(t, written, writeH263(got), tc.text)
		if tc.text != "" {
			assert.Equal(t, tc.want, readH263(writeH263(got)))
		}
	}
}

func FuzzReadH263(f *testing.F) {
	f.Add("CIF4=1;CIF=1;QCIF=1;F=1")
	f.Add("QCIF=2 CIF=3 MaxBR=1280")
	f.Fuzz(func(t *testing.T, text string) {
		h := readH263(text)
		if again := readH263(writeH263(h)); again != h {
			t.Fatalf("%+v becomes %+v", h, again)
		}
	})
}
