#!/usr/bin/env bash
# peers.sh [--release] DIR: builds the implementations we test against into DIR/bin, each once; without
# optimisation, which is quicker, unless they are to be measured.
set -euo pipefail
profile=--debug
if [ "${1:-}" = --release ]; then profile=; shift; fi
dir=${1:?folder}
mkdir -p "$dir"
export CARGO_TARGET_DIR=$dir/target CARGO_PROFILE_DEV_DEBUG=false
built=0
peer() { # crate version [cargo install options]
  local crate=$1 version=$2; shift 2
  local program=$crate
  [ "$crate" != moq-cli ] || program=moq
  [ -x "$dir/bin/$program" ] && grep -qs "^\"$crate $version " "$dir/.crates.toml" && return
  echo "Building the peer $crate $version (once; some minutes)"
  # Its own lock file first; without it where a locked version is no longer served.
  cargo install -q "$crate" --version "=$version" --root "$dir" ${profile:+"$profile"} --force --locked "$@" ||
    cargo install -q "$crate" --version "=$version" --root "$dir" ${profile:+"$profile"} --force "$@"
  built=1
}
# The clients are for the tests alone.
if [ "$profile" ]; then
  peer moq-test-client 0.2.0
  peer moq-pub 0.10.0
  peer moq-sub 0.5.0
  peer moq-clock-ietf 0.6.25
fi
peer moq-relay-ietf 0.8.0
peer moq-relay 0.17.10 --no-default-features --features noq,websocket
[ -z "$profile" ] || peer moq-cli 0.14.10 --no-default-features --features noq
# Only the programs are kept; what they were built from takes gigabytes.
[ $built = 0 ] || rm -rf "$dir/target"
