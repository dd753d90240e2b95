package g729

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/roomgate/roomgate/media/level"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
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

func decode(t testing.TB, coded []byte) []int16 {
	t.Helper()
	pcm := make([]int16, len(coded)/FrameBytes*FrameSamples)
	if n, err := NewDecoder().Decode(pcm, coded); err != nil || n != len(pcm) {
		t.Fatal(n, err)
	}
	return pcm
}

func encode(t testing.TB, pcm []int16) []byte {
	t.Helper()
	coded := make([]byte, len(pcm)/FrameSamples*FrameBytes)
	if n, err := NewEncoder().Encode(coded, pcm); err != nil || n != len(coded) {
		t.Fatal(n, err)
	}
	return coded
}

// What another encoder made is decoded as its own decoder does, but for the
// rounding of fixed point. That is heard least in speech: a tone's filter rings
// so long that its phase is another in the end.
func TestDecodesAsAnother(t *testing.T) {
	coded := file(t, "sound.g729")
	d := NewDecoder()
	var withLosses []int16
	for i := 0; i < len(coded); i += FrameBytes {
		var pcm [FrameSamples]int16
		if i/FrameBytes%10 == 9 {
			d.Conceal(pcm[:])
		} else if _, err := d.Decode(pcm[:], coded[i:i+FrameBytes]); err != nil {
			t.Fatal(err)
		}
		withLosses = append(withLosses, pcm[:]...)
	}
	const speech, tone = 12800, 14400 // where they end
	for _, tc := range []struct {
		name                string
		got, want           []int16
		leastSpeech, leastT float64
	}{
		{"whole", decode(t, coded), samples(file(t, "sound.g729.s16")), 34, 25},
		{"with losses", withLosses, samples(file(t, "sound.lost.s16")), 34, 25},
	} {
		inSpeech := likeness(tc.want[:speech], tc.got[:speech], 0)
		inTone := likeness(tc.want[speech:tone], tc.got[speech:tone], 0)
		t.Logf("%s: speech %.1f dB, tone %.1f dB", tc.name, inSpeech, inTone)
		if inSpeech < tc.leastSpeech || inTone < tc.leastT {
			t.Errorf("%s: decoders differ: speech %.1f dB, tone %.1f dB", tc.name, inSpeech, inTone)
		}
	}
}

// What we encode sounds as near to the original as what the other one does.
func TestEncodesAsWellAsAnother(t *testing.T) {
	const delay = 40
	sound := samples(file(t, "sound.s16"))
	ours := likeness(sound, decode(t, encode(t, sound)), delay)
	theirs := likeness(sound, decode(t, file(t, "sound.g729")), delay)
	t.Logf("ours %.2f dB, theirs %.2f dB", ours, theirs)
	if ours < theirs-0.2 {
		t.Errorf("ours %.2f dB, theirs %.2f dB", ours, theirs)
	}
}

// A frame is its bits, and its bits the frame; delays are their indices.
func TestFrames(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		var data, back [FrameBytes]byte
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		var f frame
		f.read(data[:])
		if f.write(back[:]); back != data {
			t.Fatalf("%x comes back as %x", data, back)
		}
	}
	for index := range 256 {
		l := firstLag(index)
		if l.index() != index || l.samples < minLag-1 || l.samples > maxLag {
			t.Errorf("first delay %d: %+v, index %d", index, l, l.index())
		}
		for second := range 32 {
			l2 := secondLag(second, l.samples)
			if l2.indexAfter(l.samples) != second || l2.samples < minLag-1 || l2.samples > maxLag+1 {
				t.Errorf("second delay %d after %d: %+v", second, l.samples, l2)
			}
		}
	}
	// Every pulse is where its index says, with its sign.
	for _, tc := range []struct {
		positions, signs int
		at               [4]int
	}{
		{0, 0, [4]int{0, 1, 2, 3}},
		{0x1fff, 0xf, [4]int{35, 36, 37, 39}},
		{2 | 3<<3 | 4<<6 | 1<<9 | 5<<10, 5, [4]int{10, 16, 22, 29}},
	} {
		code := pulses(tc.positions, tc.signs)
		for i, at := range tc.at {
			if want := float64(2*(tc.signs>>i&1) - 1); code[at] != want {
				t.Errorf("%#x: pulse %d is %v at %d", tc.positions, i, code[at], at)
			}
		}
	}
}

// Filters go through pairs and back unchanged.
func TestPairs(t *testing.T) {
	sound := samples(file(t, "sound.s16"))
	found := 0
	for from := 0; from+windowLength <= len(sound); from += FrameSamples {
		var in [windowLength]float64
		for i := range in {
			in[i] = float64(sound[from+i])
		}
		a := analyze(in[:])
		p, ok := a.pairs()
		if !ok {
			continue
		}
		found++
		back := p.coefficients()
		for i := range a {
			if math.Abs(a[i]-back[i]) > 2e-3 {
				t.Fatalf("at %d coefficient %d is %v, not %v", from, i+1, back[i], a[i])
			}
		}
	}
	if found < 190 {
		t.Errorf("pairs of %d frames only", found)
	}
}

func TestLengths(t *testing.T) {
	coded, pcm := file(t, "sound.g729"), make([]int16, 4*FrameSamples)
	for n := range 43 {
		_, err := NewDecoder().Decode(pcm, coded[:n])
		switch whole := n > 0 && (n%FrameBytes == 0 || n%FrameBytes == NoiseBytes); {
		case !whole && !errors.Is(err, ErrLength),
			whole && n <= 40 && err != nil,
			whole && n > 40 && !errors.Is(err, ErrShort):
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for _, n := range []int{0, 79, 81} {
		if _, err := NewEncoder().Encode(make([]byte, 100), make([]int16, n)); !errors.Is(err, ErrLength) {
			t.Errorf("%d samples: %v", n, err)
		}
	}
	if _, err := NewEncoder().Encode(make([]byte, 19), make([]int16, 160)); !errors.Is(err, ErrShort) {
		t.Errorf("two frames into 19 bytes: %v", err)
	}
}

// Silence stays silence; the loudest and strangest of sounds are survived, in
// level too.
func TestExtremes(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for name, sound := range map[string]func(i int) int16{
		"silence": func(int) int16 { return 0 },
		"square":  func(i int) int16 { return int16(32767 - 65535*(i/40%2)) },
		"noise":   func(int) int16 { return int16(r.Uint32()) },
		"tone":    func(i int) int16 { return int16(32000 * math.Sin(float64(i)*0.7)) },
	} {
		pcm := make([]int16, 8000)
		for i := range pcm {
			pcm[i] = sound(i)
		}
		in, out := level.DBov(pcm), level.DBov(decode(t, encode(t, pcm))[800:])
		if name == "silence" && out > -75 || name != "silence" && math.Abs(out-in) > 10 {
			t.Errorf("%s: %.1f dBov comes out at %.1f", name, in, out)
		}
	}
}

// A long hole fades. Comfort noise is heard at its level, goes on while nothing
// comes, and ends with speech.
func TestHolesAndNoise(t *testing.T) {
	coded := file(t, "sound.g729")
	d, pcm := NewDecoder(), make([]int16, 50*FrameSamples)
	if _, err := d.Decode(pcm, coded[:50*FrameBytes]); err != nil {
		t.Fatal(err)
	}
	before := level.DBov(pcm)
	d.Conceal(pcm[:50*FrameSamples])
	if after := level.DBov(pcm[40*FrameSamples:]); after > before-20 {
		t.Errorf("from %.1f dBov a hole fades to %.1f", before, after)
	}
	// First stage row 5, second 3, gain row 12 of 32: 201/8 of excitation.
	noise := []byte{5 << 2, 3<<6 | 12<<1}
	for range 20 {
		if n, err := d.Decode(pcm, noise); err != nil || n != FrameSamples {
			t.Fatal(n, err)
		}
	}
	first := level.DBov(pcm[:FrameSamples])
	d.Conceal(pcm[:20*FrameSamples])
	if on := level.DBov(pcm[:20*FrameSamples]); math.Abs(on-first) > 6 || on > -30 || on < -65 {
		t.Errorf("noise at %.1f dBov goes on at %.1f", first, on)
	}
	if n, err := d.Decode(pcm, append(bytes.Clone(coded[:FrameBytes]), noise...)); err != nil || n != 2*FrameSamples {
		t.Errorf("a frame and noise make %d samples: %v", n, err)
	}
	if _, err := d.Decode(pcm, coded[:50*FrameBytes]); err != nil {
		t.Fatal(err)
	}
	if again := level.DBov(pcm[20*FrameSamples:]); math.Abs(again-before) > 3 {
		t.Errorf("speech at %.1f dBov comes back at %.1f", before, again)
	}
}

func TestCopyState(t *testing.T) {
	sound := samples(file(t, "sound.s16"))
	one, two := NewEncoder(), NewEncoder()
	a, b := make([]byte, 1000), make([]byte, 1000)
	if _, err := one.Encode(a, sound[:8000]); err != nil {
		t.Fatal(err)
	}
	two.CopyState(one)
	n, errA := one.Encode(a, sound[8000:])
	m, errB := two.Encode(b, sound[8000:])
	if errA != nil || errB != nil || !bytes.Equal(a[:n], b[:m]) {
		t.Error("the copy makes other frames", errA, errB)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	sound, e, d := samples(file(t, "sound.s16")), NewEncoder(), NewDecoder()
	payload, pcm := make([]byte, 20), make([]int16, 160)
	allocs := testing.AllocsPerRun(50, func() {
		n, err := e.Encode(payload, sound[:160])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Decode(pcm, payload[:n]); err != nil {
			t.Fatal(err)
		}
		d.Conceal(pcm)
	})
	if allocs != 0 {
		t.Errorf("%v allocations in 20 ms", allocs)
	}
}

// Whatever comes is decoded or refused, never louder for ever after: speech
// that follows is heard.
func FuzzDecode(f *testing.F) {
	coded := file(f, "sound.g729")
	f.Add(coded[:20])
	f.Add(coded[300:312])
	f.Add(coded[:19])
	f.Fuzz(func(t *testing.T, payload []byte) {
		d, pcm := NewDecoder(), make([]int16, 960)
		n, err := d.Decode(pcm, payload)
		rest := len(payload) % FrameBytes
		whole := len(payload) > 0 && (rest == 0 || rest == NoiseBytes) && len(payload) <= 12*FrameBytes
		if whole != (err == nil) || whole && n != (len(payload)+8)/FrameBytes*FrameSamples {
			t.Fatalf("%d bytes make %d samples: %v", len(payload), n, err)
		}
		d.Conceal(pcm[:200])
		speech := make([]int16, len(coded)*8)
		if _, err := d.Decode(speech, coded); err != nil {
			t.Fatal(err)
		}
		if l := level.DBov(speech[8000:]); l < -40 || l > -5 {
			t.Errorf("speech after it is at %.1f dBov", l)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	sound, e, payload := samples(file(b, "sound.s16")), NewEncoder(), make([]byte, 20)
	b.ReportAllocs()
	for i := 0; b.Loop(); i = (i + 1) % 100 {
		if _, err := e.Encode(payload, sound[i*160:(i+1)*160]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	coded, d, pcm := file(b, "sound.g729"), NewDecoder(), make([]int16, 160)
	b.ReportAllocs()
	for i := 0; b.Loop(); i = (i + 1) % 100 {
		if _, err := d.Decode(pcm, coded[i*20:(i+1)*20]); err != nil {
			b.Fatal(err)
		}
	}
}
