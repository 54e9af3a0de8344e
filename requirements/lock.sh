#!/bin/sh
# Write the lock files: exact versions with the hashes of their files for every platform.
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null 2>&1 || {
    echo "Writing lock files needs uv; install it with: pip install uv" >&2
    exit 1
}
out=$(mktemp)
trap 'rm -f "$out"' EXIT

lock() {
    file=$1
    version=$2
    shift 2
    # flit_core builds Anyon itself, so that its installation needs nothing more from outside.
    echo "flit_core>=3.12,<4" | uv pip compile --quiet --no-config --upgrade --generate-hashes \
        --python-version "$version" --no-header --no-annotate "$@" pyproject.toml - -o "$out"
    {
        echo "# Written by \`make lock\`; do not edit. For Python $version."
        cat "$out"
    } >"$file"
}

for version in 3.11 3.12 3.13; do
    : >"$out"
    lock "requirements/runtime-$version.txt" "$version"
    : >"$out"
    lock "requirements/dev-$version.txt" "$version" --extra dev \
        --constraint "requirements/runtime-$version.txt"
    : >"$out"
    lock "requirements/docs-$version.txt" "$version" --extra docs \
        --constraint "requirements/runtime-$version.txt"
done
