package layout

import (
	"fmt"
	"image"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Tiles lie on the screen, apart from each other, and have its shape.
func TestArrange(t *testing.T) {
	for _, k := range []Kind{Auto, Single, Speaker, Grid, Grid2, Grid3, Grid4, Grid5, Content} {
		for n := range 40 {
			tiles := Arrange(k, n)
			assert.Len(t, tiles, min(n, k.Capacity()), "%s of %d", k, n)
			for _, size := range [][2]int{{1280, 720}, {640, 360}, {352, 288}} {
				var seen []image.Rectangle
				for _, tile := range tiles {
					r := tile.Pixels(size[0], size[1])
					assert.True(t, r.In(image.Rect(0, 0, size[0], size[1])), "%s of %d: %v", k, n, r)
					assert.Zero(t, r.Min.X%2+r.Min.Y%2+r.Max.X%2+r.Max.Y%2)
					assert.InDelta(t, float64(size[0])/float64(size[1]), float64(r.Dx())/float64(r.Dy()), 0.1)
					for _, o := range seen {
						assert.True(t, o.Intersect(r).Empty(), "%s of %d: %v and %v", k, n, o, r)
					}
					seen = append(seen, r)
				}
			}
		}
	}
}

func TestPlaces(t *testing.T) {
	for _, tc := range []struct {
		kind Kind
		n    int
		want string
	}{
		{Single, 3, "0,0-1280,720"},
		{Grid, 2, "0,180-640,540 640,180-1280,540"},
		{Grid, 3, "0,0-640,360 640,0-1280,360 320,360-960,720"},
		{Grid2, 1, "0,0-640,360"},
		{Speaker, 3, "0,0-854,480 854,0-1280,240 854,240-1280,480"},
		{Content, 3, "128,0-1152,576 384,576-640,720 640,576-896,720"},
	} {
		got := ""
		for i, r := range Arrange(tc.kind, tc.n) {
			p := r.Pixels(1280, 720)
			if i > 0 {
				got += " "
			}
			got += fmt.Sprintf("%d,%d-%d,%d", p.Min.X, p.Min.Y, p.Max.X, p.Max.Y)
		}
		assert.Equal(t, tc.want, got, "%s of %d", tc.kind, tc.n)
	}
}

// people are a, b, c, ... in the order they came.
func people(n int, speakers ...string) []Candidate {
	var all []Candidate
	for i := range n {
		id := string(rune('a' + i))
		c := Candidate{ID: id, Identity: id, Joined: uint64(i)}
		for k, s := range speakers {
			if s == id {
				c.Spoke = uint64(k + 1)
			}
		}
		all = append(all, c)
	}
	return all
}

func joined(ids []string) (s string) {
	for _, id := range ids {
		s += id
	}
	return s
}

func TestChoose(t *testing.T) {
	shared := Candidate{ID: "X", Identity: "b", Content: true, Joined: 99}
	lecture := func(viewer string, turn uint64) Wish {
		return Wish{Kind: Lecture, Viewer: viewer, Pinned: "b", Turn: turn}
	}
	for _, tc := range []struct {
		name   string
		all    []Candidate
		wish   Wish
		before string
		kind   Kind
		shown  string
		key    string
	}{
		{"nobody", nil, Wish{Kind: Auto}, "", Single, "", "auto"},
		{"auto: the other one", people(2), Wish{Kind: Auto, Viewer: "a"}, "", Single, "b", "auto without a"},
		{"auto: two others", people(3), Wish{Kind: Auto, Viewer: "a"}, "", Grid, "bc", "auto without a"},
		{"auto: many", people(9, "c"), Wish{Kind: Auto, Viewer: "i"}, "", Speaker, "cabdefgh", "auto"},
		{"auto: many, seen by the speaker", people(9, "b", "c"), Wish{Kind: Auto, Viewer: "c"}, "", Speaker, "bacdefgh", "auto without c"},
		{"auto: content", append(people(3), shared), Wish{Kind: Auto, Viewer: "a"}, "", Content, "Xabc", "auto"},
		{"single: speaker", people(4, "c", "d"), Wish{Kind: Single, Viewer: "a"}, "", Single, "d", "single"},
		{"single: seen by the speaker", people(4, "c", "d"), Wish{Kind: Single, Viewer: "d"}, "", Single, "c", "single without d"},
		{"single: pinned", people(4, "c", "d"), Wish{Kind: Single, Viewer: "d", Pinned: "b"}, "", Single, "b", "single pinned b"},
		{"lecture: the lecturer fills every screen", people(4, "c", "d"), lecture("a", 0), "", Single, "b", "lecture pinned b"},
		{"lecture: the lecturer sees one of the audience", people(4, "c"), lecture("b", 0), "", Single, "a", "lecture pinned b audience"},
		{"lecture: then the next", people(4, "c"), lecture("b", 1), "a", Single, "c", "lecture pinned b audience"},
		{"lecture: and the first again", people(4, "c"), lecture("b", 3), "d", Single, "a", "lecture pinned b audience"},
		{"lecture: nobody is there", people(2)[1:], lecture("b", 3), "", Single, "", "lecture pinned b audience"},
		{"lecture: slides of the lecturer, and the lecturer", append(people(4), shared), lecture("a", 0), "", Content, "Xb", "lecture pinned b"},
		{"lecture: who presents does not see it", append(people(4), shared), lecture("b", 1), "", Single, "c", "lecture pinned b audience"},
		{"lecture: slides are seen elsewhere", append(people(4), shared), Wish{Kind: Lecture, Viewer: "a", Pinned: "b", PeopleOnly: true}, "", Single, "b", "lecture pinned b people"},
		{"lecture: nobody is pinned, who spoke last", people(4, "c", "d"), Wish{Kind: Lecture, Viewer: "a"}, "", Single, "d", "lecture"},
		{"2x2 leaves the viewer out", people(6), Wish{Kind: Grid2, Viewer: "b"}, "", Grid2, "acde", "2x2 without b"},
		{"2x2 seen by one who is not in it", people(6), Wish{Kind: Grid2, Viewer: "f"}, "", Grid2, "abcd", "2x2"},
		{"3x3 shows all to all", people(6), Wish{Kind: Grid3, Viewer: "b"}, "", Grid3, "abcdef", "3x3"},
		{"grid of many shows all to all", people(7), Wish{Kind: Grid, Viewer: "b"}, "", Grid, "abcdefg", "grid"},
		{"places are kept", people(4), Wish{Kind: Grid2}, "dbca", Grid2, "dbca", "2x2"},
		{"one has left", people(3), Wish{Kind: Grid2}, "dbca", Grid2, "abc", "2x2"},
		{"a speaker takes a place", people(6, "f"), Wish{Kind: Grid2}, "abcd", Grid2, "abcf", "2x2"},
		{"25 of 30", people(26, "z"), Wish{Kind: Grid5}, "", Grid5, "abcdefghijklmnopqrstuvwxz", "5x5"},
		{"speaker alone with one", people(2), Wish{Kind: Speaker, Viewer: "a"}, "", Single, "b", "speaker without a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var before []string
			for _, r := range tc.before {
				before = append(before, string(r))
			}
			v := Choose(tc.all, tc.wish, before)
			assert.Equal(t, tc.kind, v.Kind)
			assert.Equal(t, tc.shown, joined(v.Shown))
			assert.Equal(t, tc.key, v.Key)
		})
	}
}

// However many look, there are as many views as people who would see
// themselves, and one.
func TestViewsAreFew(t *testing.T) {
	for _, tc := range []struct {
		kind Kind
		want int
	}{{Single, 2}, {Speaker, 2}, {Grid2, 5}, {Grid3, 1}, {Grid, 1}, {Auto, 2}, {Lecture, 2}} {
		all := people(20, "a", "d")
		keys := map[string]bool{}
		for _, c := range all {
			keys[Choose(all, Wish{Kind: tc.kind, Viewer: c.Identity}, nil).Key] = true
		}
		assert.Len(t, keys, tc.want, tc.kind)
	}
}

func TestScreens(t *testing.T) {
	for _, tc := range []struct {
		name string
		l    Limits
		want Screen
	}{
		{"anything", Limits{}, Screen{1280, 720, 30, 2_000_000}},
		{"level 3.1, 1.5 Mbit/s", Limits{Macroblocks: 3600, PerSecond: 108000, Bitrate: 1_500_000}, Screen{1280, 720, 30, 1_500_000}},
		{"level 3.0", Limits{Macroblocks: 1620, PerSecond: 40500, Bitrate: 10_000_000}, Screen{640, 360, 30, 1_000_000}},
		{"512 kbit/s", Limits{Macroblocks: 3600, PerSecond: 108000, Bitrate: 512_000}, Screen{1024, 576, 30, 512_000}},
		{"320 kbit/s", Limits{Macroblocks: 3600, PerSecond: 108000, Bitrate: 320_000}, Screen{640, 360, 30, 256_000}},
		{"level 1.3", Limits{Macroblocks: 396, PerSecond: 11880, Bitrate: 768_000}, Screen{352, 288, 30, 512_000}},
		{"level 1.2", Limits{Macroblocks: 396, PerSecond: 6000, Bitrate: 384_000}, Screen{352, 288, 15, 384_000}},
		{"level 1", Limits{Macroblocks: 99, PerSecond: 1485, Bitrate: 64_000}, Screen{176, 144, 15, 64_000}},
		{"H.263 CIF", Limits{CIF: true, Width: 352, Height: 288, FPS: 30, Bitrate: 384_000}, Screen{352, 288, 30, 384_000}},
		{"H.263 4CIF", Limits{CIF: true, Width: 704, Height: 576, Bitrate: 768_000}, Screen{704, 576, 30, 768_000}},
		{"16 kbit/s", Limits{Bitrate: 16_000}, Screen{176, 144, 30, 32_000}},
	} {
		assert.Equal(t, tc.want, tc.l.Choose(), tc.name)
	}
}

// A unit that joins several has all of a screen or no place on it, and is never shown
// itself, in grids that show everyone to everyone neither.
func TestUnits(t *testing.T) {
	with := func(n int, speakers ...string) []Candidate {
		all := people(n, speakers...)
		all[1].Whole = true // b
		return all
	}
	shared := Candidate{ID: "X", Identity: "b", Content: true, Joined: 99}
	for _, tc := range []struct {
		name  string
		all   []Candidate
		wish  Wish
		kind  Kind
		shown string
	}{
		{"nobody has spoken", with(4), Wish{Kind: Grid, Viewer: "a"}, Single, "b"},
		{"it spoke", with(4, "c", "b"), Wish{Kind: Grid3, Viewer: "a"}, Single, "b"},
		{"another spoke", with(4, "b", "c"), Wish{Kind: Grid3, Viewer: "a"}, Grid3, "acd"},
		{"another spoke, in auto", with(5, "b", "c"), Wish{Kind: Auto, Viewer: "a"}, Grid, "cde"},
		{"nobody else", with(2, "a"), Wish{Kind: Auto, Viewer: "a"}, Single, "b"},
		{"content of its own", append(with(4, "b"), shared), Wish{Kind: Auto, Viewer: "a"}, Content, "Xacd"},
		{"what it is sent in 3x3", with(6, "b"), Wish{Kind: Grid3, Viewer: "b", Never: true}, Grid3, "acdef"},
		{"what it is sent of many", with(9, "b"), Wish{Kind: Speaker, Viewer: "b", Never: true}, Speaker, "acdefghi"},
		{"what one of two is sent", with(2), Wish{Kind: Grid5, Viewer: "b", Never: true}, Grid5, "a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := Choose(tc.all, tc.wish, nil)
			assert.Equal(t, tc.kind, v.Kind)
			assert.Equal(t, tc.shown, joined(v.Shown))
			for i := 0; tc.wish.Never && i < len(v.Shown); i++ {
				assert.NotEqual(t, tc.wish.Viewer, v.Shown[i])
			}
		})
	}
}

// Pages keep their size where the limits allow, and come seldom.
func TestPages(t *testing.T) {
	for _, tc := range []struct {
		name   string
		limits Limits
		w, h   int
		want   Screen
	}{
		{"anything", Limits{}, 1920, 1080, Screen{1920, 1080, 7.5, 4_000_000}},
		{"level 4.0, 3.5 Mbit/s", Limits{Macroblocks: 8192, PerSecond: 245760, Bitrate: 3_500_000}, 1920, 1080, Screen{1920, 1080, 7.5, 3_000_000}},
		{"level 3.1 with max-fs", Limits{Macroblocks: 8160, PerSecond: 50000, Bitrate: 2_000_000}, 1920, 1080, Screen{1920, 1080, 5, 2_000_000}},
		{"level 3.1 with max-fs, and no time for it", Limits{Macroblocks: 8160, PerSecond: 40000, Bitrate: 2_000_000}, 1920, 1080, Screen{1280, 720, 7.5, 2_000_000}},
		{"level 3.1", Limits{Macroblocks: 3600, PerSecond: 108000, Bitrate: 2_000_000}, 1920, 1080, Screen{1280, 720, 7.5, 2_000_000}},
		{"an unusual size", Limits{Macroblocks: 3600, PerSecond: 108000, Bitrate: 1_920_000}, 800, 600, Screen{800, 600, 7.5, 1_500_000}},
		{"larger than any", Limits{}, 2560, 1440, Screen{1280, 720, 7.5, 2_000_000}},
		{"CIF", Limits{CIF: true, Width: 352, Height: 288, Bitrate: 384_000}, 1280, 720, Screen{352, 288, 7.5, 384_000}},
	} {
		if got := tc.limits.Text(tc.w, tc.h); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}
