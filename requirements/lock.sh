#!/bin/sh
# Write the lock files: exact versions with the hashes of their files, for every supported Python and
# platform. Where those need other versions, a marker says which is whose.
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null 2>&1 || {
    echo "Writing lock files needs uv; install it with: pip install uv" >&2
    exit 1
}
out=$(mktemp)
trap 'rm -f "$out"' EXIT

lock() {
    kind=$1
    shift
    : >"$out"
    # flit_core builds Anyon itself, so that its installation needs nothing more from outside.
    echo "flit_core>=3.12,<4" | uv pip compile --quiet --no-config --upgrade --generate-hashes \
        --universal --python-version 3.11 --no-header --no-annotate "$@" pyproject.toml - -o "$out"
    {
        echo "# Written by \`make lock\`; do not edit."
        cat "$out"
    } >"requirements/$kind.txt"
}

lock runtime
lock dev --group dev --constraint requirements/runtime.txt
lock web --group dev --group web --constraint requirements/dev.txt
lock docs --group docs --constraint requirements/runtime.txt
lock curves --group curves --constraint requirements/runtime.txt
lock profile --group profile --constraint requirements/runtime.txt
