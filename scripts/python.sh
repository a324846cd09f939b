#!/usr/bin/env bash
# Builds the wheel of `python`, installs it into a fresh environment in `target/wheel`, and runs its tests. With `--short` it tests the package where
# it is, with a program for debugging (CHAINRULE may name it), and fetches nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${CHAINRULE_PYTHON:-python3}
if [ "${1:-}" = --short ]; then
    if [ -z "${CHAINRULE:-}" ]; then
        cargo build --quiet --package chainrule-cli
        export CHAINRULE=$PWD/target/debug/chainrule
    fi
    PYTHONPATH=python exec "$python" -B -m unittest discover python/tests
fi
folder=target/wheel
rm -rf "$folder"
"$python" -m venv "$folder"
"$folder/bin/pip" install --quiet 'maturin>=1.9,<2' ipython nbformat numpy
(cd python && "../$folder/bin/maturin" build --quiet --out "../$folder/wheels" --release)
"$folder/bin/pip" install --quiet --no-index --no-deps "$folder"/wheels/*.whl
# Away from the sources, so that the installed package is tested, and its own program.
unset CHAINRULE
cd "$folder"
bin/chainrule --version
bin/python -B -m unittest discover ../../python/tests
