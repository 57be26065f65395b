#!/bin/sh
# Cuts the sample clips from public-domain sources.
# nasa.mp4: four seconds of nasa_13013.mp4 (NASA, public domain) with its sound and subtitles.
set -eu
[ $# = 1 ] || { echo "usage: $0 PATH/nasa_13013.mp4" >&2; exit 64; }
ffmpeg -v error -y -ss 10 -t 4 -i "$1" -map 0:0 -map 0:1 -map 0:2 -c:v libx264 -crf 16 -c:a copy -c:s copy "$(dirname "$0")/nasa.mp4"
