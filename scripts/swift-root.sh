#!/usr/bin/env bash
# swift-root.sh make DIR: makes a folder with Debian 13 and its Swift in DIR, once (some minutes, 3 GB); nothing of this machine
# changes.
# swift-root.sh run DIR [--see PATH]... -- COMMAND...: runs a command inside, in the current folder, as the current user. The
# current folder and each PATH are seen there under their own names, the network is this machine's, and of the environment
# PARVIS_* is kept. All mounts are private to the command and end with it.
set -euo pipefail
# Another number makes it anew.
version=1
usage() { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
what=$1 root=$(realpath -m "$2"); shift 2
sudo=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "swift-root: run as root, or install sudo" >&2; exit 1; }
  sudo=(sudo)
fi

make() {
  [ "$(cat "$root/swift-root-version" 2>/dev/null)" != "$version" ] || return 0
  "$(dirname "$0")/packages.sh" --swift
  local mirror partial=$root.partial
  mirror=$(own_mirror)
  # It is known once there are lists of packages.
  [ "$mirror" ] || { "${sudo[@]}" apt-get update -qq && mirror=$(own_mirror); }
  [ "$mirror" ] || { echo "swift-root: no Debian mirror is configured: this machine has to be a Debian" >&2; exit 1; }
  echo "Making a folder of Debian 13 with Swift for the tests of the Swift binding (once; some minutes, 3 GB)"
  mkdir -p "$(dirname "$root")"
  "${sudo[@]}" rm -rf --one-file-system "$root"
  "${sudo[@]}" unshare --mount --propagation private true ||
    { echo "swift-root: this machine lets nobody mount: in a container, allow CAP_SYS_ADMIN" >&2; exit 1; }
  local try
  for try in 1 2 3; do
    if fill "$partial" "$mirror"; then
      "${sudo[@]}" mv "$partial" "$root"
      return
    fi
    # A mirror may be away for a moment.
    [ "$try" = 3 ] || { echo "swift-root: once more, from nothing" >&2; sleep $((20 * try)); }
  done
  echo "swift-root: Debian 13 with Swift could not be made from $mirror, which the Swift tests need; why is above" >&2
  exit 1
}

# The mirror that this machine's own packages come from.
own_mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' |
    grep -v security | head -n 1 || true
}

fill() { # folder mirror
  "${sudo[@]}" rm -rf --one-file-system "$1"
  # A mount namespace of its own: what debootstrap mounts ends with it, also when it is interrupted.
  "${sudo[@]}" unshare --mount --propagation private bash -euo pipefail -c '
    debootstrap --variant=minbase --include=ca-certificates trixie "$1" "$2" >"$1.log" 2>&1 ||
      { tail -n 20 "$1.log" >&2; exit 1; }
    mount -t proc proc "$1/proc"
    chroot "$1" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      -o Acquire::Retries=5 swiftlang libc6-dev libstdc++-14-dev >>"$1.log" 2>&1 ||
      { tail -n 20 "$1.log" >&2; exit 1; }
    chroot "$1" apt-get clean
    rm -rf "$1"/var/lib/apt/lists/* "$1"/usr/share/doc/* "$1"/usr/share/locale/*
    echo "$3" >"$1/swift-root-version"
    rm -f "$1.log"' make "$1" "$2" "$version"
}

run() {
  local see=("$PWD") keep=(HOME="${PARVIS_SWIFT_HOME:-/tmp}" PATH=/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 TERM=dumb) name
  while [ "${1:-}" = --see ]; do see+=("$(realpath "$2")"); shift 2; done
  [ "${1:-}" = -- ] || usage
  shift
  [ -e "$root/swift-root-version" ] || { echo "swift-root: $root is not there: make it first" >&2; exit 1; }
  for name in $(compgen -e PARVIS_); do keep+=("$name=${!name}"); done
  exec "${sudo[@]}" unshare --mount --propagation private bash -euo pipefail -c '
    root=$1 folder=$2 user=$3; shift 3
    # A layer in memory: what is seen needs folders to be seen at, and /tmp is of this command alone.
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=1777 tmp "$root/tmp"
    while [ "$1" != -- ]; do
      mkdir -p "$root$1"
      mount --bind "$1" "$root$1"
      shift
    done
    shift
    exec chroot --userspec="$user" "$root" env -i -C "$folder" "$@"' \
    run "$root" "$PWD" "$(id -u):$(id -g)" "${see[@]}" -- "${keep[@]}" "$@"
}

case $what in
  make) [ $# = 0 ] || usage; make ;;
  run) run "$@" ;;
  *) usage ;;
esac
