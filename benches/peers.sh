#!/usr/bin/env bash
# Times our gradients beside those of other tools, on the same seeded inputs, and prints the tables.
#
#   benches/peers.sh HARNESS [RESULTS.jsonl]
#
# HARNESS is the folder of the outside harness: gen_refs.py (inputs and references), rust/handwritten (closed forms by hand in Rust),
# run_all.sh (all peers), table.py (tables). It is copied, not written to.
# Environment, all optional:
#   ROUNDS=5            rounds, in which the peers take turns
#   ALL_PEERS=1         run_all.sh with all its peers first (Python packages are installed; takes long), else the Rust by hand alone
#   PEERS_BUDGET_S=0.4  seconds of timing for each row
#   PEERS_ONLY, PEERS_DTYPES   workloads and types, e.g. "W3,W9" and "f32"
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
harness=${1:?the folder of the harness}
out=$(realpath -m "${2:-$here/peers/target/results.jsonl}")
work=$here/peers/target/harness
mkdir -p "$(dirname "$out")" "$work"
cp -r "$harness/." "$work/"
export PEERS_REFS=${PEERS_REFS:-$work/refs} CARGO_TERM_COLOR=never
[ -f "$PEERS_REFS/manifest.txt" ] || python3 "$work/gen_refs.py" "$PEERS_REFS"

# The harness's flags, and cargo's own: the latter choose instructions at run time.
native=$here/peers/target/native
(cd "$here/peers" && RUSTFLAGS="-C target-cpu=native" CARGO_TARGET_DIR=$native cargo build --release)
(cd "$here/peers" && cargo build --release --target-dir target/plain)
: > "$out"
if [ -n "${ALL_PEERS:-}" ]; then
    CARGO_TARGET_DIR=$native bash "$work/run_all.sh" "$out.peers"
    cat "$out.peers" >> "$out"
else
    (cd "$work/rust" && RUSTFLAGS="-C target-cpu=native" CARGO_TARGET_DIR=$native cargo build --release -p peer-handwritten)
fi

core=$(($(nproc) - 1))
run() { # ROUND PEER BINARY
    PEERS_NAME=$2 RAYON_NUM_THREADS=1 taskset -c "$core" "$3" 1 | sed "s/}\$/, \"round\": $1}/" >> "$out"
}
for round in $(seq 1 "${ROUNDS:-5}"); do
    run "$round" rust-hand "$native/release/peer-handwritten"
    run "$round" ours "$native/release/chainrule-peers"
    run "$round" ours-plain "$here/peers/target/plain/release/chainrule-peers"
done
python3 "$work/table.py" "$out" --ours ours
