#!/bin/sh
# Whether Node and npm are there and run; the tests of real agents need both. What is missing is
# named with the command that installs it.
set -u
cd "$(dirname "$0")/.."
. requirements/how_to_install.sh

# The newest of what the agents ask for; most of them come with programs of their own.
wanted=22

# A command may be there and still not work (a shim without a version behind it): run it.
for program in node npm; do
    if ! command -v "$program" >/dev/null 2>&1; then
        why="no $program was found"
    elif ! "$program" --version >/dev/null 2>&1; then
        why="\`$program --version\` fails"
    else
        continue
    fi
    missing "The tests of real agents were left out: they need Node with npm (version $wanted serves all of them), and $why. Install it (or a newer one than your system's from https://nodejs.org), then try again:" \
        "$(how_to_install "nodejs npm" "nodejs npm" "nodejs npm" "nodejs npm" "nodejs npm" node)"
    exit 1
done
