#!/bin/sh
# Prepare what the board is built with, in web/node_modules; exit code 1 says what is missing.
# Usage: web.sh WHAT     WHAT is left out if Node is missing, for the message.
set -eu
cd "$(dirname "$0")/.."
. requirements/how_to_install.sh

for program in node npm; do
    if ! command -v "$program" >/dev/null 2>&1 || ! "$program" --version >/dev/null 2>&1; then
        missing "$1 was left out: it needs Node 20.19 or newer with npm, and no $program that runs was found. Install it, then try again:" \
            "$(how_to_install "nodejs npm" "nodejs npm" "nodejs npm" "nodejs npm" "nodejs npm" node)"
        exit 1
    fi
done

stamp=web/node_modules/.lock-stamp
wanted=$(cat web/package.json web/package-lock.json | cksum; node --version)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    exit 0
fi
echo "Preparing web/node_modules ..." >&2
(cd web && npm ci --silent --ignore-scripts)
echo "$wanted" >"$stamp"
