package label

import (
	"flag"
	"image"
	"image/png"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/font"
	"golang.org/x/text/unicode/norm"
)

var update = flag.Bool("update", false, "write the golden pictures anew")

// vietnamese holds every letter with every mark.
const vietnamese = "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợpqrstuùủũúụưừửữứựvxyỳỷỹýỵ" +
	"AÀẢÃÁẠĂẰẲẴẮẶÂẦẨẪẤẬBCDĐEÈẺẼÉẸÊỀỂỄẾỆGHIÌỈĨÍỊKLMNOÒỎÕÓỌÔỒỔỖỐỘƠỜỞỠỚỢPQRSTUÙỦŨÚỤƯỪỬỮỨỰVXYỲỶỸÝỴ"

// The fonts have every Vietnamese letter: none is drawn as a box.
func TestVietnamese(t *testing.T) {
	for _, w := range []Weight{Regular, Bold} {
		f, err := face(w, 24)
		require.NoError(t, err)
		box, _, _ := f.GlyphBounds('\uE123') // what is missing looks like this
		for _, r := range norm.NFC.String(vietnamese) {
			bounds, _, ok := f.GlyphBounds(r)
			assert.True(t, ok, "%c", r)
			assert.NotEqual(t, box, bounds, "%c", r)
		}
		require.NoError(t, f.Close())
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"Nguyễn Văn A":             "Nguyễn Văn A",
		"Nguye\u0302\u0303n":       "Nguyễn",
		"  a\tb\r\nc  ":            "a b c",
		"a\u202eb\u0000c\u200b":    "abc",
		"\xff\xfe":                 "",
		"Phòng họp\u00a0số 1":      "Phòng họp số 1",
		"":                         "",
		"UBND tỉnh Thừa Thiên Huế": "UBND tỉnh Thừa Thiên Huế",
	} {
		assert.Equal(t, want, Clean(in), "%q", in)
	}
}

func TestInitials(t *testing.T) {
	for in, want := range map[string]string{
		"Nguyễn Văn Ánh": "NÁ", "đồng": "Đ", "room 7": "R7", "": "", "(lan) (anh)": "LA",
	} {
		assert.Equal(t, want, initials(in), "%q", in)
	}
}

// Names are as high as asked, at most as wide, and shortened.
func TestNameSizes(t *testing.T) {
	for _, height := range []int{10, 18, 24, 37} {
		for _, width := range []int{20, 100, 400} {
			b, err := Name("Hội trường Uỷ ban nhân dân thành phố Hồ Chí Minh", height, width, height > 20)
			require.NoError(t, err)
			assert.Equal(t, height&^1, b.Height)
			assert.LessOrEqual(t, b.Width, width)
			assert.Zero(t, b.Width%2)
			assert.Len(t, b.Data, b.Width*b.Height*5/2)
		}
	}
	f, err := face(Regular, 20)
	require.NoError(t, err)
	defer f.Close()
	s := shorten(f, "Hội trường lớn", 80)
	assert.Regexp(t, "^Hội.*…$", s)
	assert.LessOrEqual(t, font.MeasureString(f, s).Ceil(), 80)
}

// What is drawn looks as it did, within what other machines draw.
func TestGolden(t *testing.T) {
	for name, make := range map[string]func() (*Bitmap, error){
		"name": func() (*Bitmap, error) {
			return Name("Nguyễn Thị Hường – Thừa Thiên Huế", 32, 600, false)
		},
		"muted":    func() (*Bitmap, error) { return Name("Đặng Ngọc Ỷ", 32, 600, true) },
		"initials": func() (*Bitmap, error) { return Initials("Trần Quốc Ổn", 96) },
		"text": func() (*Bitmap, error) {
			return Text([]string{"Bạn là người duy nhất", "trong cuộc họp này"}, 32, 900)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := make()
			require.NoError(t, err)
			got := luma(b)
			file := "testdata/" + name + ".png"
			if *update {
				out, err := os.Create(file)
				require.NoError(t, err)
				require.NoError(t, png.Encode(out, got))
				require.NoError(t, out.Close())
			}
			in, err := os.Open(file)
			require.NoError(t, err)
			defer in.Close()
			want, err := png.Decode(in)
			require.NoError(t, err)
			require.Equal(t, want.Bounds(), got.Bounds())
			sum := 0
			for y := range b.Height {
				for x := range b.Width {
					w, _, _, _ := want.At(x, y).RGBA()
					d := int(w>>8) - int(got.GrayAt(x, y).Y)
					sum += d * d
				}
			}
			assert.Less(t, float64(sum)/float64(b.Width*b.Height), 30.0, "mean square difference")
		})
	}
}

// luma is a bitmap over grey, without its colours.
func luma(b *Bitmap) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, b.Width, b.Height))
	alpha := b.Data[len(b.Data)-b.Width*b.Height:]
	for i := range b.Width * b.Height {
		a := int(alpha[i])
		img.Pix[i] = byte((int(b.Data[i])*a + 128*(255-a)) / 255)
	}
	return img
}

func FuzzName(f *testing.F) {
	f.Add("Nguyễn Văn A", 24, 300)
	f.Fuzz(func(t *testing.T, name string, height, width int) {
		b, err := Name(name, min(max(height, 0), 64), min(max(width, 0), 400), len(name)%2 == 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Data) != b.Width*b.Height*5/2 {
			t.Fatal(len(b.Data))
		}
	})
}
