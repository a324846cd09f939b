#!/usr/bin/env bash
# Builds the wheel of `python`, installs it into a fresh environment in `target/wheel`, and runs its tests. With `--short` the program in it is
# one for debugging, and what the tests want besides is taken from where it is; else it is fetched.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${CHAINRULE_PYTHON:-python3}
folder=target/wheel
rm -rf "$folder"
profile=release
if [ "${1:-}" = --short ]; then
    profile=dev
    "$python" -m venv --system-site-packages "$folder"
    "$folder/bin/pip" install --quiet 'maturin>=1.9,<2'
else
    "$python" -m venv "$folder"
    "$folder/bin/pip" install --quiet 'maturin>=1.9,<2' ipython nbformat numpy
fi
(cd python && "../$folder/bin/maturin" build --quiet --profile "$profile" --out "../$folder/wheels")
"$folder/bin/pip" install --quiet --no-index --no-deps "$folder"/wheels/*.whl
unset CHAINRULE
"$folder/bin/chainrule" --version
# Away from the sources, so that the installed package is tested.
cd "$folder"
"bin/python" -B -W error::SyntaxWarning -m unittest discover ../../python/tests
