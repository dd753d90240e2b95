#!/bin/sh
# Makes the patterns the simulated terminal sends: a moving test picture with
# a running clock, H.264 Constrained Baseline, an IDR each second, one
# reference frame and slices of at most 1150 bytes where named so (packetization
# mode 0). Needs ffmpeg with libx264. Output: testdata/../terminal/pattern/*.h264
set -eu
out=$(dirname "$0")/../../terminal/pattern
mkdir -p "$out"

# name size level kbit/s seconds extra-x264-options
pattern() {
	ffmpeg -v error -y -f lavfi -i "testsrc2=size=$2:rate=30:duration=$5" \
		-pix_fmt yuv420p -c:v libx264 -preset slow -profile:v baseline -level:v "$3" \
		-b:v "$4k" -maxrate "$4k" -bufsize "$4k" -threads 1 \
		-x264-params "keyint=30:min-keyint=30:scenecut=0:ref=1:bframes=0:stitchable=1:repeat-headers=1:aud=0:sliced-threads=0:$6" \
		-bsf:v "filter_units=remove_types=6" -f h264 "$out/$1.h264"
}

pattern 720p 1280x720 3.1 1500 5 force-cfr=1
pattern 360p 640x360 3.0 400 4 force-cfr=1
pattern 360p-slices 640x360 3.0 400 4 slice-max-size=1150
ls -l "$out"

# Short conformance vectors for media/h264: profiles, slices, fields, sizes.
# name size frames options
vectors=$(dirname "$0")
vector() {
	name=$1 size=$2 frames=$3
	shift 3
	ffmpeg -v error -y -f lavfi -i "testsrc2=size=$size:rate=25" -frames:v "$frames" \
		-pix_fmt yuv420p -c:v libx264 -preset medium -b:v 150k -threads 1 "$@" \
		-f h264 "$vectors/$name.h264"
}
vector baseline 176x144 40 -profile:v baseline -x264-params keyint=12:scenecut=0
vector baseline-slices 352x288 30 -profile:v baseline -x264-params keyint=10:scenecut=0:slice-max-size=500
vector main-cabac 176x144 40 -profile:v main -bf 2 -x264-params keyint=13:scenecut=0:slices=3
vector high-cabac 320x180 30 -profile:v high -bf 0 -x264-params keyint=10:scenecut=0
vector high-fields 352x288 24 -profile:v high -flags +ilme+ildct -x264-params keyint=8:interlaced=1:scenecut=0
vector intra 176x144 12 -profile:v baseline -x264-params keyint=1
vector portrait 180x320 10 -profile:v baseline -x264-params keyint=10
vector big-idr 640x360 12 -profile:v baseline -crf 12 -b:v 0 -x264-params keyint=6
