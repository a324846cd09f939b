#!/usr/bin/env bash
# Random programs against finite differences and an interpreter with dual numbers: N of them (100000) from SEED (1).
# As many pairs of spellings of one function become one node. A program that fails is printed with its seed; `scripts/random.sh 1 SEED` tries it again.
set -euo pipefail
cd "$(dirname "$0")/.."
export CHAINRULE_RANDOM_PROGRAMS=${1:-100000} CHAINRULE_RANDOM_PAIRS=${1:-100000} CHAINRULE_RANDOM_SEED=${2:-1}
exec nice cargo test --release -p chainrule-core --test random -- --nocapture
