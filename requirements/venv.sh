#!/bin/sh
# Make the virtual environment DIR hold exactly what the lock file KIND (runtime or dev) says, and
# Anyon itself. Does nothing if it does already.
# Usage: venv.sh DIR KIND      PYTHON=... chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."
dir=$1
kind=$2
stamp=$dir/.lock-stamp

probe='import ensurepip, sys, venv
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

# A command may be there and still not work (a shim without a version behind it): run it.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        if "$PYTHON" -c "$probe" >/dev/null 2>&1; then
            echo "$PYTHON"
            return
        fi
        echo "PYTHON=$PYTHON is not a working Python 3.11, 3.12 or 3.13 with venv and pip." >&2
        return 1
    fi
    for candidate in python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c "$probe" >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    echo "Anyon needs Python 3.11, 3.12 or 3.13 with venv and pip, and none was found." \
        "Install one, or name one: make PYTHON=/path/to/python ..." >&2
    return 1
}

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'
}

# Where the tree lies is part of it: environments do not survive being moved.
wanted() {
    {
        pwd
        echo "$1"
        cat "requirements/$kind-$1.txt" pyproject.toml
    } | cksum
}

if [ -f "$stamp" ] && version=$(version_of "$dir/bin/python" 2>/dev/null); then
    if [ -z "${PYTHON:-}" ] || [ "$version" = "$(version_of "$PYTHON" 2>/dev/null)" ]; then
        if [ "$(cat "$stamp")" = "$(wanted "$version" 2>/dev/null)" ]; then
            exit 0
        fi
    fi
fi

python=$(find_python)
version=$(version_of "$python")
echo "Preparing $dir with Python $version ..." >&2
rm -f "$stamp"
"$python" -m venv --clear "$dir"
pip() {
    "$dir/bin/python" -m pip --disable-pip-version-check "$@"
}
pip install --quiet --require-hashes -r "requirements/$kind-$version.txt"
pip install --quiet --no-deps --no-build-isolation -e .
wanted "$version" >"$stamp"
