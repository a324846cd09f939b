#!/usr/bin/env bash
# Spoilt programs of the gallery, in both dialects: N of them (20000) from SEED (1), and programs that are long, wide or deep.
# Nothing may panic or take long.
# A program that fails is printed with its seed; `scripts/hostile.sh 1 SEED` tries it again.
set -euo pipefail
cd "$(dirname "$0")/.."
export CHAINRULE_HOSTILE_PROGRAMS=${1:-20000} CHAINRULE_HOSTILE_SEED=${2:-1}
exec nice cargo test --release -p chainrule-core --test hostile -- --nocapture
