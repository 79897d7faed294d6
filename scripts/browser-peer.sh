#!/usr/bin/env bash
# browser-peer.sh DIR: installs the npm packages of testing/interop/browser into DIR, at the versions and hashes of its
# lock file, and bundles the page for the browser into DIR/page.bundle.js; each once.
set -euo pipefail
dir=${1:?folder}
from=$(cd "$(dirname "$0")/.." && pwd)/testing/interop/browser
"$(dirname "$0")/packages.sh" --tests
mkdir -p "$dir"
if ! cmp -s "$from/package-lock.json" "$dir/installed-lock.json"; then
  echo "Installing the npm packages of the browser's interop tests (once)"
  rm -rf "$dir/node_modules"
  cp "$from/package.json" "$from/package-lock.json" "$dir"
  # Nothing that a package brings is run but esbuild, which is called below.
  (cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  cp "$from/package-lock.json" "$dir/installed-lock.json"
fi
cp "$from/page.js" "$from/drive.mjs" "$dir"
(cd "$dir" && node_modules/.bin/esbuild page.js --bundle --format=esm --log-level=warning --outfile=page.bundle.js)
