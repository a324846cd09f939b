#!/usr/bin/env bash
# Trains the digits network on one device, on eight, and as several processes, interrupts it and kills parts of it, and compares the losses.
# With `--short` the first three only. It wants Python with JAX; without `--short` also Orbax, which it installs into `target/mesh/venv`, and
# PyTorch if there is one. With `--scaling` it measures how steps scale on two cores instead.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${CHAINRULE_PYTHON:-python3}
"$python" -c 'import jax' || { echo "mesh.sh wants JAX: pip install jax" >&2; exit 1; }
rm -rf target/mesh/*saved target/mesh/*killed
mkdir -p target/mesh
if [ "${1:-}" = "" ] && ! "$python" -c 'import orbax.checkpoint' 2>/dev/null; then
    [ -d target/mesh/venv ] || "$python" -m venv --system-site-packages target/mesh/venv
    python=target/mesh/venv/bin/python
    "$python" -m pip install --quiet orbax-checkpoint
fi
if [ -z "${CHAINRULE:-}" ]; then
    cargo build --quiet --release -p chainrule-cli
    export CHAINRULE=$PWD/target/release/chainrule
fi
if [ "${1:-}" = --scaling ]; then
    exec "$python" scripts/mesh_scaling.py
fi
for target in jax torch; do
    "$CHAINRULE" emit examples/digits_mlp.grad --target $target -o target/mesh/digits_$target.py
done
for torch in "$python" /usr/bin/python3; do
    if [ -z "${CHAINRULE_TORCH:-}" ] && "$torch" -c 'import numpy, torch' 2>/dev/null; then
        export CHAINRULE_TORCH=$torch
    fi
done
"$python" scripts/mesh.py "$@"
