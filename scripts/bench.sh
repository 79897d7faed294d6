#!/usr/bin/env bash
# bench.sh CACHE: what the relay costs, against the floor and against other relays, in one run.
# Prints the median of each row and `ok|short ROW FIGURE TARGET`; REPS repetitions (5), interleaved.
# Runs in a network namespace of its own when it may, so that nothing else is on its loopback.
set -euo pipefail
cache=${1:?folder}
cd "$(dirname "$0")/.."
if [ -z "${PARVIS_BENCH_NS:-}" ] && [ "$(id -u)" = 0 ]; then
  exec env PARVIS_BENCH_NS=1 unshare -n bash -c 'ip link set lo up 2>/dev/null; exec "$0" "$@"' "scripts/bench.sh" "$@"
fi
exec python3 scripts/bench.py "$cache" "${@:2}"
