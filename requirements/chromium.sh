#!/bin/sh
# The path of a Chromium for the tests of the board; exit code 1 says what is missing.
# CHROMIUM=/path/to/it names another one.
set -eu
cd "$(dirname "$0")/.."
. requirements/how_to_install.sh

for candidate in ${CHROMIUM:-chromium chromium-browser google-chrome-stable google-chrome}; do
    if found=$(command -v "$candidate" 2>/dev/null) && "$found" --version >/dev/null 2>&1; then
        echo "$found"
        exit 0
    fi
done
missing "The tests of the board in a browser were left out: they need Chromium. Install it (or name one: CHROMIUM=/path/to/it), then try again:" \
    "$(how_to_install chromium chromium chromium chromium chromium chromium)"
exit 1
