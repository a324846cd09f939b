#!/usr/bin/env bash
# Times our gradients beside closed forms written by hand in Rust, on the same seeded inputs, and prints the table of benches/README.md.
#
#   benches/peers.sh HARNESS [RESULTS.jsonl]
#
# HARNESS is the folder of the outside harness: gen_refs.py (inputs and references), rust/handwritten (closed forms by hand),
# run_all.sh (all peers), table.py (tables). It is copied, not written to. The sides take turns at every workload of every round,
# pinned to one core, so that what else the machine does hits all of them alike; a ratio is the median of the rounds' ratios.
# Environment, all optional:
#   ROUNDS=5            rounds
#   THREADS="1 2"       numbers of threads; 1 by default. More than one: nothing is pinned, and ours is built with `rayon`
#   ALL_PEERS=1         run_all.sh with all its peers first (Python packages are installed; takes long), and its table
#   PEERS_BUDGET_S=0.2  seconds of timing for each row
#   PEERS_ONLY, PEERS_DTYPES   workloads and types, e.g. "W3,W9" and "f32"
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
harness=${1:?the folder of the harness}
target=$here/peers/target
out=$(realpath -m "${2:-$target/results.jsonl}")
work=$target/harness
mkdir -p "$(dirname "$out")" "$work"
cp -r --no-preserve=mode "$harness/." "$work/"
export PEERS_REFS=${PEERS_REFS:-$work/refs} PEERS_BUDGET_S=${PEERS_BUDGET_S:-0.2} CARGO_TERM_COLOR=never
[ -f "$PEERS_REFS/manifest.txt" ] || python3 "$work/gen_refs.py" "$PEERS_REFS"

# The harness's flags for all, and ours with cargo's own as well: then instructions are chosen at run time.
native=$target/native
(cd "$work/rust" && RUSTFLAGS="-C target-cpu=native" CARGO_TARGET_DIR=$native cargo build --release -p peer-handwritten)
(cd "$here/peers" && RUSTFLAGS="-C target-cpu=native" CARGO_TARGET_DIR=$native cargo build --release)
(cd "$here/peers" && cargo build --release --target-dir target/plain)
threads=${THREADS:-1}
if [ "$threads" != 1 ]; then
    (cd "$here/peers" && RUSTFLAGS="-C target-cpu=native" cargo build --release --features rayon --target-dir target/shared)
fi
: > "$out"

core=$(($(nproc) - 1))
run() { # ROUND PEER BINARY WORKLOAD THREADS
    local pin=()
    [ "$5" != 1 ] || pin=(taskset -c "$core")
    PEERS_NAME=$2 PEERS_ONLY=$4 RAYON_NUM_THREADS=$5 "${pin[@]}" "$3" "$5" 2> "$target/checks.log" | sed "s/}\$/, \"round\": $1}/" >> "$out" || {
        cat "$target/checks.log"
        exit 1
    }
}
all=W1,W2,W3,W4,W5,W6,W7,W8,W9,W10s,W10e
for round in $(seq 1 "${ROUNDS:-5}"); do
    for workload in $(tr , ' ' <<< "${PEERS_ONLY:-$all}"); do
        # What is written by hand has its sizes in the code; ours has W3, W5 and W6 with sizes at run time too.
        for count in $threads; do
            shared=$native
            [ "$count" = 1 ] || shared=$target/shared
            run "$round" rust-hand "$native/release/peer-handwritten" "$workload" "$count"
            run "$round" ours "$shared/release/chainrule-peers" "$workload,${workload}any" "$count"
            [ "$count" != 1 ] || run "$round" ours-plain "$target/plain/release/chainrule-peers" "$workload,${workload}any" 1
        done
    done
done
python3 "$here/peers/ratios.py" "$out"
if [ -n "${ALL_PEERS:-}" ]; then
    CARGO_TARGET_DIR=$native bash "$work/run_all.sh" "$out.peers"
    python3 "$work/table.py" "$out.peers" "$out" --ours ours
fi
