#!/usr/bin/env bash
# generate.sh LIBRARY BINDGEN [FOLDER]: writes what Swift is generated from the built library into bindings/swift/.generated, or
# elsewhere; what is there and the same keeps its time, so that nothing is compiled again for it. A Mac's own tools do.
set -euo pipefail
absolute() { case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }
library=$(absolute "$1") bindgen=$(absolute "$2") folder=${3:+$(absolute "$3")}
cd "$(dirname "$0")/../../.."
folder=${folder:-bindings/swift/.generated}
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$bindgen" swift --sources bindings/ffi "$library" "$fresh"
python3 bindings/swift/scripts/forward_cancellation.py "$fresh/ParvisFFI.swift"
# Names that are keywords of Swift are quoted in the C header too, where that is no C.
tr -d '`' <"$fresh/parvis_ffiFFI.h" >"$fresh/header"
mv "$fresh/header" "$fresh/parvis_ffiFFI.h"
# The generated module map uses Darwin's modules.
printf 'module parvis_ffiFFI {\n    header "parvis_ffiFFI.h"\n    export *\n}\n' >"$fresh/module.modulemap"
place() { # file folder
  mkdir -p "$folder/$2"
  cmp -s "$fresh/$1" "$folder/$2/$1" || cp "$fresh/$1" "$folder/$2/$1"
}
place ParvisFFI.swift ParvisFFI
place parvis_ffiFFI.h parvis_ffiFFI
place module.modulemap parvis_ffiFFI
