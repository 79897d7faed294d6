#!/usr/bin/env bash
# app-library.sh OPTIONS...: builds the library as apps carry it, for this machine, with these options of cargo; docs/bindings.md says
# what makes it small.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/scripts/app-codecs:$PATH
link=()
case $(uname -m) in
  # Rust's own linker, which folds functions that are the same.
  x86_64) link=(-C link-arg=-Wl,--icf=all -C link-arg=-Wl,-z,pack-relative-relocs) ;;
esac
# Where a register holds the frame, what unwinding has to know of each function is less than the two instructions that it takes.
export RUSTFLAGS="${RUSTFLAGS:-} -C force-frame-pointers=yes"
exec cargo rustc -q --profile app -p parvis-ffi --crate-type cdylib "$@" -- "${link[@]}"
