#!/usr/bin/env bash
# Trains the digits network on one device, on eight, and as several processes, interrupts it and kills parts of it, and compares the losses.
# With `--short` the first three only. It wants Python with JAX, and without `--short` Orbax, which it installs into `target/mesh/venv`.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${CHAINRULE_PYTHON:-python3}
"$python" -c 'import jax' || { echo "mesh.sh wants JAX: pip install jax" >&2; exit 1; }
rm -rf target/mesh/saved target/mesh/killed
mkdir -p target/mesh
if [ "${1:-}" != --short ] && ! "$python" -c 'import orbax.checkpoint' 2>/dev/null; then
    [ -d target/mesh/venv ] || "$python" -m venv --system-site-packages target/mesh/venv
    python=target/mesh/venv/bin/python
    "$python" -m pip install --quiet orbax-checkpoint
fi
if [ -n "${CHAINRULE:-}" ]; then
    "$CHAINRULE" emit examples/digits_mlp.grad --target jax -o target/mesh/digits_jax.py
else
    cargo run --quiet --release -p chainrule-cli -- emit examples/digits_mlp.grad --target jax -o target/mesh/digits_jax.py
fi
"$python" scripts/mesh.py "$@"
