package g7221

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"testing"
)

// standard are the modes of the Recommendation.
var standard = []Mode{{16000, 24000}, {16000, 32000}, {32000, 24000}, {32000, 32000}, {32000, 48000}}

func file(t testing.TB, format string, args ...any) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + fmt.Sprintf(format, args...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func samples(b []byte) []int16 {
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm
}

// vectors are the sound, the reference's coding of it and its decoding of that
// (testdata/README.md).
func vectors(t testing.TB, m Mode) (sound []int16, coded []byte, decoded []int16) {
	return samples(file(t, "sound-%d.s16", m.Rate)),
		file(t, "sound-%d-%d.g7221", m.Rate, m.Bitrate),
		samples(file(t, "sound-%d-%d.s16", m.Rate, m.Bitrate))
}

// likeness is the ratio of signal and difference in dB, of got less a delay.
func likeness(ref, got []int16, delay int) float64 {
	var signal, noise float64
	for i := range len(ref) - delay {
		d := float64(got[i+delay]) - float64(ref[i])
		signal += float64(ref[i]) * float64(ref[i])
		noise += d * d
	}
	return 10 * math.Log10(signal/(noise+1e-9))
}

func decode(t testing.TB, m Mode, coded []byte) []int16 {
	t.Helper()
	d, err := NewDecoder(m)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, len(coded)/m.Bytes()*m.Samples())
	if n, err := d.Decode(pcm, coded); err != nil || n != len(pcm) {
		t.Fatal(n, err)
	}
	return pcm
}

func encode(t testing.TB, m Mode, pcm []int16) []byte {
	t.Helper()
	e, err := NewEncoder(m)
	if err != nil {
		t.Fatal(err)
	}
	coded := make([]byte, len(pcm)/m.Samples()*m.Bytes())
	if n, err := e.Encode(coded, pcm); err != nil || n != len(coded) {
		t.Fatal(n, err)
	}
	return coded
}

// checksums are those of the reference decoder's coefficients: for each frame
// how far they are shifted up, and then they, 16 bits each, big endian.
var checksums = map[Mode]uint32{
	{16000, 24000}: 0x45876ba7,
	{16000, 32000}: 0xbeab2237,
	{32000, 24000}: 0x1a9db471,
	{32000, 32000}: 0x58f4ccad,
	{32000, 48000}: 0x4419d949,
}

// Coefficients are those of the reference to the bit: bit stream, categories,
// quantizers and noise.
func TestCoefficientsAreTheReferences(t *testing.T) {
	for _, m := range standard {
		_, coded, _ := vectors(t, m)
		d, err := NewDecoder(m)
		if err != nil {
			t.Fatal(err)
		}
		sum := crc32.NewIEEE()
		for ; len(coded) > 0; coded = coded[m.Bytes():] {
			shift, ok := d.coefficients(coded[:m.Bytes()])
			if !ok {
				t.Fatalf("%v: not a frame", m)
			}
			b := binary.BigEndian.AppendUint16(nil, uint16(shift))
			for _, v := range d.coded[:m.regions()*regionSize] {
				b = binary.BigEndian.AppendUint16(b, uint16(v))
			}
			sum.Write(b)
		}
		if sum.Sum32() != checksums[m] {
			t.Errorf("%v: checksum %#08x, not %#08x", m, sum.Sum32(), checksums[m])
		}
	}
}

// Our decoder makes of the reference encoder's streams what the reference
// decoder makes of them, but for the noise of its 16-bit arithmetic; at 32 kHz
// with the angles of the reference's table put in.
func TestDecodesAsReference(t *testing.T) {
	for _, m := range standard {
		_, coded, expected := vectors(t, m)
		straight := likeness(expected, decode(t, m, coded), 0)
		if m.Rate == 16000 {
			t.Logf("%v: %.1f dB", m, straight)
			if straight < 61 {
				t.Errorf("%v: decoders differ: %.1f dB", m, straight)
			}
			continue
		}
		corrected := likeness(expected, decodeTurned(t, m, coded), 0)
		t.Logf("%v: %.1f dB, with the reference's angles %.1f dB", m, straight, corrected)
		if straight < 38 || corrected < 55 {
			t.Errorf("%v: decoders differ: %.1f dB, with the reference's angles %.1f dB", m, straight, corrected)
		}
	}
}

// decodeTurned decodes with the angles that the reference has in the last stage
// of its 640-point transform.
func decodeTurned(t *testing.T, m Mode, coded []byte) []int16 {
	t.Helper()
	d, err := NewDecoder(m)
	if err != nil {
		t.Fatal(err)
	}
	tr, out := m.transform(), make([]float64, m.Samples())
	var pcm []int16
	for ; len(coded) > 0; coded = coded[m.Bytes():] {
		shift, ok := d.coefficients(coded[:m.Bytes()])
		if !ok {
			t.Fatal("not a frame")
		}
		block := d.block[:tr.n]
		d.scaled(block, shift)
		tr.dct(block, &d.work)
		for i := range tr.n / 2 {
			right, theirs := 2*float64(i)+1, 1.953125*float64(i)+0.929
			s, c := math.Sincos(math.Pi / 2560 * (theirs - right))
			low, high := block[i], block[tr.n-1-i]
			block[i], block[tr.n-1-i] = c*low+s*high, c*high-s*low
		}
		tr.unfold(out, d.overlap, block[:tr.n/2])
		copy(d.overlap, block[tr.n/2:])
		for _, v := range out {
			pcm = append(pcm, int16(math.Round(v)))
		}
	}
	return pcm
}

// Our encoder's streams sound as close to the original as the reference's.
func TestEncodesAsWellAsReference(t *testing.T) {
	for _, m := range standard {
		sound, coded, _ := vectors(t, m)
		own := encode(t, m, sound)
		if len(own) != len(coded) {
			t.Fatalf("%v: %d bytes, not %d", m, len(own), len(coded))
		}
		ours := likeness(sound, decode(t, m, own), m.Samples())
		theirs := likeness(sound, decode(t, m, coded), m.Samples())
		t.Logf("%v: ours %.2f dB, the reference's %.2f dB", m, ours, theirs)
		if ours < theirs-0.1 {
			t.Errorf("%v: ours %.2f dB, the reference's %.2f dB", m, ours, theirs)
		}
	}
}
