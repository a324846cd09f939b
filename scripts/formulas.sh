#!/bin/sh
# Every formula of the gallery and of the cases of matrix calculus must compile: with KaTeX in strict mode, and with pdflatex,
# where no line may be wider than the page. `--short` takes a part of them, for continuous integration.
# CHAINRULE may name a built program. Wants node; fetches KaTeX with npm into target/formulas.
set -eu
cd "$(dirname "$0")/.."
folder=target/formulas
mkdir -p "$folder"
mode=
if [ "${1:-}" = --short ]; then mode=short; fi
if [ -z "${CHAINRULE:-}" ]; then
    cargo build --quiet --package chainrule-cli
    CHAINRULE=target/debug/chainrule
fi
if [ ! -d "$folder/node_modules/katex" ]; then
    npm install --silent --no-audit --no-fund --prefix "$folder" katex@0.16 >/dev/null
fi
node scripts/formulas.mjs "$CHAINRULE" "$folder" $mode
if ! command -v pdflatex >/dev/null; then
    echo "pdflatex: not installed (Debian: apt-get install texlive-latex-recommended), so only KaTeX was asked" >&2
    exit 0
fi
if ! (cd "$folder" && pdflatex -interaction=nonstopmode -halt-on-error formulas.tex >formulas.out 2>&1); then
    grep -A6 '^!' "$folder/formulas.out" || tail -20 "$folder/formulas.out"
    exit 1
fi
wide=$(grep -c '^Overfull .hbox' "$folder/formulas.log" || true)
pages=$(grep -o '([0-9]* pages' "$folder/formulas.log" | tr -d '(')
echo "pdflatex: $pages, $wide lines wider than the page"
if [ "$wide" -gt 0 ]; then
    grep -A3 '^Overfull .hbox' "$folder/formulas.log" | head -40
    exit 1
fi
