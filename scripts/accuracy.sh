#!/usr/bin/env bash
# The largest errors of the functions, as docs/accuracy.md has them in its second table: some minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
ACCURACY=long cargo test -p chainrule --lib accuracy -- --nocapture
