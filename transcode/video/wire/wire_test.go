package wire

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bodies is every body, written and read.
var bodies = []struct {
	name  string
	write func([]byte) []byte
	value any
	read  func([]byte) (any, error)
	open  bool // ends with data of any length
}{
	{"coded", (&Frame{Timestamp: 7, Flags: FlagKey, Data: []byte("abc")}).AppendCoded,
		Frame{Timestamp: 7, Flags: FlagKey, Data: []byte("abc")}, func(b []byte) (any, error) { return ReadCoded(b) }, true},
	{"encoded", (&Frame{Timestamp: 7, Delay: 9, Side: []byte("xy"), Data: []byte("abc")}).AppendEncoded,
		Frame{Timestamp: 7, Delay: 9, Side: []byte("xy"), Data: []byte("abc")}, func(b []byte) (any, error) { return ReadEncoded(b) }, true},
	{"scene", scene.Append, scene, func(b []byte) (any, error) { return ReadScene(b) }, false},
	{"encoder", (&Encoder{Canvas: 3, Codec: VP8, Level: 31, Bitrate: 1e6, FPS: 29.97, MaxUnit: 1180, Text: true}).Append,
		Encoder{Canvas: 3, Codec: VP8, Level: 31, Bitrate: 1e6, FPS: 29.97, MaxUnit: 1180, Text: true}, func(b []byte) (any, error) { return ReadEncoder(b) }, false},
	{"bitmap", (&Image{Width: 2, Height: 4, Data: []byte("abc")}).AppendBitmap,
		Image{Width: 2, Height: 4, Data: []byte("abc")}, func(b []byte) (any, error) { return ReadBitmap(b) }, true},
	{"viewed", (&Image{Timestamp: 5, Width: 2, Height: 4, Data: []byte("abc")}).AppendViewed,
		Image{Timestamp: 5, Width: 2, Height: 4, Data: []byte("abc")}, func(b []byte) (any, error) { return ReadViewed(b) }, true},
	{"shape", Size{Width: 640, Height: 360}.AppendShape, Size{Width: 640, Height: 360}, func(b []byte) (any, error) { return ReadShape(b) }, false},
	{"view", Size{Width: 640, Height: 360, Every: true}.AppendView, Size{Width: 640, Height: 360, Every: true}, func(b []byte) (any, error) { return ReadView(b) }, false},
	{"abilities", Abilities{1, 2}.Append, Abilities{1, 2}, func(b []byte) (any, error) { return ReadAbilities(b) }, false},
	{"load", Load{1, 1 << 40}.Append, Load{1, 1 << 40}, func(b []byte) (any, error) { return ReadLoad(b) }, false},
	{"failure", Failure{Canvas, "no"}.Append, Failure{Canvas, "no"}, func(b []byte) (any, error) { return ReadFailure(b) }, true},
}

var scene = Scene{
	Width: 1280, Height: 720, FPS: 30, Follow: 4, Background: 0x108080,
	Tiles:   []Tile{{1, 0, 0, 640, 360, 1, 0x208080}, {0, 640, 360, 640, 360, 2, 0x308080}},
	Bitmaps: []Place{{9, 10, 20}},
}

func TestBodies(t *testing.T) {
	for _, tc := range bodies {
		t.Run(tc.name, func(t *testing.T) {
			data := tc.write(nil)
			got, err := tc.read(data)
			require.NoError(t, err)
			assert.Equal(t, tc.value, got)
			if tc.open {
				return
			}
			for n := range data {
				_, err := tc.read(data[:n])
				assert.Error(t, err, "%d of %d bytes", n, len(data))
			}
			_, err = tc.read(append(data, 0))
			assert.Error(t, err, "a byte too many")
		})
	}
}

func TestMessages(t *testing.T) {
	var stream []byte
	var err error
	stream, err = Append(stream, Ping, 5, nil)
	require.NoError(t, err)
	stream, err = Append(stream, Canvas, 6, scene.Append)
	require.NoError(t, err)
	stream, err = AppendFrame(stream, 7, &Frame{Data: []byte("abc")})
	require.NoError(t, err)
	_, err = Append(nil, Bitmap, 1, func(dst []byte) []byte { return append(dst, make([]byte, MaxBody+1)...) })
	assert.ErrorIs(t, err, ErrTooLong)

	r := NewReader(bytes.NewReader(stream), 64)
	for _, want := range []struct {
		kind   Kind
		object uint32
	}{{Ping, 5}, {Canvas, 6}, {Coded, 7}} {
		m, err := r.Read()
		require.NoError(t, err)
		assert.Equal(t, want.kind, m.Kind)
		assert.Equal(t, want.object, m.Object)
		assert.Equal(t, make([]byte, 64), m.Body[len(m.Body):len(m.Body)+64])
	}
	_, err = r.Read()
	assert.Equal(t, io.EOF, err)
	for n := 1; n < 9; n++ {
		_, err := NewReader(bytes.NewReader(stream[:n]), 0).Read()
		assert.Error(t, err)
	}
	_, err = NewReader(bytes.NewReader([]byte{0xff, 0, 0, 0, 1, 0, 0, 0, 0}), 0).Read()
	assert.Error(t, err)
}

func TestFramesDoNotAllocate(t *testing.T) {
	f := &Frame{Data: make([]byte, 5000)}
	buf := make([]byte, 0, 6000)
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = AppendFrame(buf, 1, f) }))
}

// FuzzBodies feeds every reader with the same bytes.
func FuzzBodies(f *testing.F) {
	for _, tc := range bodies {
		f.Add(tc.write(nil))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, tc := range bodies {
			_, _ = tc.read(data)
		}
		r := NewReader(bytes.NewReader(data), 8)
		for {
			if _, err := r.Read(); err != nil {
				return
			}
		}
	})
}
