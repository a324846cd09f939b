#!/usr/bin/env bash
# Drives the playground and a report in headless Chromium. Wants Debian's `chromium` and Node; fetches playwright-core once.
#   scripts/browser.sh [FOLDER]    with a folder, keeps pictures of all pages there
# CHAINRULE may name a built program.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v chromium >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium
fi
if [ ! -d target/browser/node_modules/playwright-core ]; then
    mkdir -p target/browser
    cp scripts/browser/package.json target/browser/
    (cd target/browser && npm install --no-audit --no-fund --silent)
fi
cp scripts/browser/drive.mjs target/browser/
if [ -z "${CHAINRULE:-}" ]; then
    cargo build --quiet -p chainrule-cli --bin chainrule ${PROFILE:-}
    folder=debug
    [ "${PROFILE:-}" = "--release" ] && folder=release
    CHAINRULE="target/$folder/chainrule"
fi
exec timeout 300 node target/browser/drive.mjs "$CHAINRULE" "${1:-}"
