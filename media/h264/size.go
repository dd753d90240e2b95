package h264

// terminalSizes are the picture sizes room terminals are known to take: the
// CIF family of H.261 Annex D and H.241, the SIF family, the VGA family and
// the 16:9 sizes of hardware codecs and browsers. Some show others stretched,
// cut, or not at all.
var terminalSizes = map[[2]int]bool{
	{128, 96}: true, {176, 144}: true, {352, 288}: true, {704, 576}: true, {1408, 1152}: true,
	{176, 120}: true, {352, 240}: true, {704, 480}: true, {720, 480}: true, {720, 576}: true,
	{160, 120}: true, {320, 240}: true, {640, 480}: true, {800, 600}: true, {960, 720}: true,
	{1024, 768}: true, {1280, 960}: true, {1280, 1024}: true, {1400, 1050}: true, {1600, 1200}: true,
	{256, 144}: true, {320, 180}: true, {424, 240}: true, {432, 240}: true, {480, 270}: true,
	{512, 288}: true, {640, 360}: true, {768, 432}: true, {768, 448}: true, {848, 480}: true,
	{854, 480}: true, {864, 480}: true, {960, 540}: true, {1024, 576}: true, {1280, 720}: true,
	{1600, 896}: true, {1600, 900}: true, {1920, 1080}: true, {1920, 1088}: true,
	{1280, 768}: true, {1280, 800}: true, {1360, 768}: true, {1366, 768}: true, {1440, 900}: true,
	{1680, 1050}: true, {1920, 1200}: true, {2560, 1440}: true, {3840, 2160}: true,
}

// TerminalSize reports whether room terminals are known to take pictures of
// this size.
func TerminalSize(width, height int) bool { return terminalSizes[[2]int{width, height}] }
