# Two commands: `make demo` shows a meeting, `make test` proves everything. Each installs what it needs.
SHELL := /bin/bash
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/parvis
export CARGO_TARGET_DIR ?= $(CACHE)/target
export PATH := $(CACHE)/tools/bin:$(HOME)/.cargo/bin:$(PATH)
export PARVIS_CACHE := $(CACHE)
export CARGO_TERM_COLOR ?= auto

.PHONY: help demo test trim packages clips peers browser-peer services-tools format lint unit doc fuzz-check deny browser interop interop-write bench bench-store bench-drain bench-network bench-meeting bench-bindings test-kotlin test-android test-swift fuzz clean

help: ## Lists the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

demo: packages clips ## Two agents and three guests hold a meeting on this machine; DEMO_ARGS="--duration 60s" and the like
	cargo build -p parvis-services --bin parvis
	$(CARGO_TARGET_DIR)/debug/parvis demo $(DEMO_ARGS)

test: trim packages clips format lint unit doc fuzz-check deny browser test-kotlin test-swift interop ## Proves everything; what CI runs
	@echo "make test: everything passed"

trim: ## Removes from the cache what other clones built, once that is much
	@scripts/trim.sh "$(CACHE)"

packages: ## Installs the Debian packages that a build needs
	@scripts/packages.sh

clips: packages ## Makes the test clips, once
	@scripts/make-clips.sh "$(CACHE)/clips"

peers: packages ## Builds the peers of the interop tests, once
	@scripts/peers.sh "$(CACHE)/peers"

browser-peer: packages ## Installs a browser and the npm packages that talk to our relay from it, once
	@scripts/browser-peer.sh "$(CACHE)/browser-peer"

services-tools: packages ## Installs what the tests of the services run beside them, once
	@scripts/services-tools.sh "$(CACHE)/services-tools"

format: ## Checks the format of the sources
	cargo fmt --all -- --check
	cargo fmt --manifest-path testing/interop/Cargo.toml -- --check
	cargo fmt --manifest-path fuzz/Cargo.toml -- --check

lint: packages ## clippy and shellcheck, warnings are errors
	@scripts/packages.sh --lint
	@# Its commas are those of one argument.
	shellcheck --severity=warning --exclude=SC2054 scripts/*.sh scripts/app-codecs/* bindings/swift/scripts/*.sh
	@# A Mac runs these, whose tools are BSD's and whose bash is 3.2.
	@! grep -nE 'sed -i|realpath|readlink -f|declare -A|mapfile|grep -P' bindings/swift/scripts/*.sh
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --manifest-path testing/interop/Cargo.toml -- -D warnings

unit: packages clips services-tools ## Unit, property and end-to-end tests
	cargo test --workspace --no-fail-fast

test-swift: packages ## Builds and tests the Swift binding and its examples, in a folder of Debian 13 that is made once
	@scripts/test-swift.sh "$(CACHE)"

doc: packages ## Builds the documentation, warnings are errors
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

fuzz-check: packages ## Compiles the fuzz targets
	cargo check --manifest-path fuzz/Cargo.toml

fuzz: packages ## Runs each fuzz target for FUZZ_SECONDS (60); needs nightly Rust and cargo-fuzz
	scripts/fuzz.sh $(or $(FUZZ_SECONDS),60)

test-kotlin: packages ## The Kotlin SDK and its Android half on a JVM, against a real service; its API against bindings/api
	@scripts/test-kotlin.sh "$(CACHE)"

test-android: packages ## The Android half and the example app alone; test-kotlin has them too
	@scripts/test-android.sh "$(CACHE)"

deny: packages ## Licences, sources and duplicates of dependencies; advisories where their database is at hand
	@scripts/deny.sh "$(CACHE)"

browser: packages ## A short demonstration's recordings, played to their end in a real browser
	@scripts/packages.sh --tests
	cargo build -q -p parvis-services --bin parvis
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	  $(CARGO_TARGET_DIR)/debug/parvis demo --relay-only --generated --duration 5s --out "$$folder" && \
	  python3 scripts/browser_plays.py "$$folder"/*.mp4

INTEROP = cargo run -q --manifest-path testing/interop/Cargo.toml -- \
  --peers "$(CACHE)/peers/bin" --browser-peer "$(CACHE)/browser-peer" --clips "$(CACHE)/clips"

interop: packages clips peers browser-peer ## Our relay and SDK against other implementations; checks docs/interop.md
	$(INTEROP) --check docs/interop.md

interop-write: packages clips peers browser-peer ## Runs the same and writes docs/interop.md
	$(INTEROP) --write docs/interop.md

bench: packages ## Relay cost against the floor and the peers, a table; BENCH_ARGS="--write docs/performance.md"
	@scripts/packages.sh --bench
	scripts/peers.sh --release "$(CACHE)/bench-peers"
	cargo build --release -p parvis-load -p parvis-services
	scripts/bench.sh "$(CACHE)" $(BENCH_ARGS)

bench-store: packages ## How long a chat message waits for the disk, in SQLite
	@folder=$$(mktemp -d -p /var/tmp) && trap 'rm -rf "$$folder"' EXIT && \
	  cargo run -q --release -p parvis-store --example speed -- "sqlite:$$folder/parvis.db"

bench-drain: packages ## What a watcher notices when its relay is replaced DRAINS (30) times
	cargo run -q --release -p parvis --example drain -- $(or $(DRAINS),30)

bench-network: packages ## What is left of a call on bad networks, simulated, a table; NETWORK_ARGS="--seeds 20"
	cargo run -q -p parvis-network -- $(NETWORK_ARGS)

bench-meeting: packages ## What a meeting of 300 costs the services, and how long things take; MEETING_ARGS="--people 50"
	cargo run -q --release -p parvis-meeting-load -- $(MEETING_ARGS)

bench-bindings: packages ## What a call over the foreign-function boundary costs on a JVM, and the library's size; BENCH_ARGS="--write docs/bindings.md"
	@scripts/test-kotlin.sh "$(CACHE)" bench $(BENCH_ARGS)

clean: ## Removes the build output from the cache
	rm -rf "$(CARGO_TARGET_DIR)"
