#!/usr/bin/env bash
# Whether emitted code is laid out as the languages' own formatters leave it, and clean for their linters: what the tests of targets have
# written into target/tmp, and the Rust of the gallery. Wants ruff and clang-format (pip install ruff clang-format), by PATH or in TOOLS.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="${TOOLS:-}:$PATH"
chainrule=${CHAINRULE:-target/debug/chainrule}

modules=(target/tmp/targets_*/p*.py)
[ -e "${modules[0]}" ] || { echo "no emitted code: run cargo test -p chainrule-core --test targets first" >&2; exit 1; }
ruff format --quiet --no-cache --isolated --line-length 100 --check "${modules[@]}" ||
    ruff format --no-cache --isolated --line-length 100 --diff "${modules[@]}" | head -60 | (cat; exit 1)
ruff check --quiet --no-cache --isolated "${modules[@]}"

style='{BasedOnStyle: LLVM, IndentWidth: 4, ColumnLimit: 0, AlignAfterOpenBracket: BlockIndent}'
files=(target/tmp/targets_c/p*.c)
clang-format --style="$style" --dry-run -Werror "${files[@]}"

# Rust is as rustfmt leaves it where the command is called.
alone=$(mktemp -d)
trap 'rm -rf "$alone"' EXIT
chainrule=$(realpath "$chainrule")
for program in "$PWD"/examples/*.grad; do
    (
        cd "$alone"
        "$chainrule" emit "$program" --target rust -o net.rs
        "$chainrule" emit "$program" --target rust --standalone -o alone.rs
        rustfmt --edition 2024 --check net.rs alone.rs
        if grep -l 'rustfmt::skip' net.rs alone.rs; then exit 1; fi
        "$chainrule" emit "$program" --target c --header -o net.h
        clang-format --style="$style" --dry-run -Werror net.h
    )
done
echo "laid out: ${#modules[@]} modules of Python, ${#files[@]} files of C, the Rust of the gallery"
