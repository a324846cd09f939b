#!/usr/bin/env bash
# Builds the wheel of `python`, installs it into a fresh environment in `target/wheel`, and runs its tests. With `--short` the wheel has a program
# for debugging, its environment sees the packages of this Python, and nothing is fetched; where there is no maturin (TOOLS may name its folder), the
# package is tested where it is, with a program for debugging (CHAINRULE may name it).
set -euo pipefail
cd "$(dirname "$0")/.."

python=${CHAINRULE_PYTHON:-python3}
maturin=${TOOLS:+$TOOLS/}maturin
if [ "${1:-}" = --short ] && ! command -v "$maturin" >/dev/null; then
    echo "without maturin no wheel is built: the package is tested where it is" >&2
    if [ -z "${CHAINRULE:-}" ]; then
        cargo build --quiet --package chainrule-cli
        export CHAINRULE=$PWD/target/debug/chainrule
    fi
    PYTHONPATH=python exec "$python" -B -m unittest discover python/tests
fi
folder=target/wheel
rm -rf "$folder"
if [ "${1:-}" = --short ]; then
    "$python" -m venv --without-pip "$folder"
    # Compiled sooner; what else the program is made of is there from other builds.
    (cd python && "$maturin" build --quiet --out "../$folder/wheels" --profile dev --config 'profile.dev.package.chainrule-core.opt-level=0')
    "$python" -m pip --python "$folder/bin/python" install --quiet --no-index --no-deps "$folder"/wheels/*.whl
    packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    export PYTHONPATH=$packages${PYTHONPATH:+:$PYTHONPATH}
else
    "$python" -m venv "$folder"
    "$folder/bin/pip" install --quiet 'maturin>=1.9,<2' ipython nbformat numpy
    (cd python && "../$folder/bin/maturin" build --quiet --out "../$folder/wheels" --release)
    "$folder/bin/pip" install --quiet --no-index --no-deps "$folder"/wheels/*.whl
fi
# Away from the sources, so that the installed package is tested, and its own program.
unset CHAINRULE
cd "$folder"
bin/chainrule --version
bin/python -B -m unittest discover ../../python/tests
