#!/usr/bin/env bash
# services-tools.sh DIR: installs into DIR what the tests of the services run beside them, each once and at a fixed version:
# schemathesis and a mail server (Python), an OpenID Connect provider (npm, by the lock file of services/http/tests/peers/oidc).
set -euo pipefail
dir=${1:?folder}
from=$(cd "$(dirname "$0")/.." && pwd)/services/http/tests/peers
"$(dirname "$0")/packages.sh" --tests
mkdir -p "$dir"
if ! cmp -s "$from/requirements.txt" "$dir/python/installed.txt"; then
  echo "Installing schemathesis and a mail server for the tests of the services (once)"
  rm -rf "$dir/python"
  python3 -m venv "$dir/python"
  "$dir/python/bin/pip" install -q --disable-pip-version-check -r "$from/requirements.txt"
  cp "$from/requirements.txt" "$dir/python/installed.txt"
fi
if ! cmp -s "$from/oidc/package-lock.json" "$dir/node/installed-lock.json"; then
  echo "Installing an OpenID Connect provider for the tests of the services (once)"
  rm -rf "$dir/node"
  mkdir -p "$dir/node"
  cp "$from/oidc/package.json" "$from/oidc/package-lock.json" "$dir/node"
  (cd "$dir/node" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  cp "$from/oidc/package-lock.json" "$dir/node/installed-lock.json"
fi
cp "$from/oidc/provider.mjs" "$dir/node"
touch "$dir/installed"
