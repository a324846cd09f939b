#!/usr/bin/env bash
# The library's one file with unsafe code under Miri; wants a nightly toolchain with the component `miri`.
set -euo pipefail
cd "$(dirname "$0")/.."
CARGO_TARGET_DIR=target/miri cargo +nightly miri test -p chainrule --lib levels::wide
