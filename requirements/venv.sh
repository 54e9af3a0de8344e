#!/bin/sh
# Make the virtual environment DIR hold exactly what the lock file KIND (runtime, dev, web, docs, curves or profile) says, and
# Anyon itself. Does nothing if it does already.
# Usage: venv.sh DIR KIND      PYTHON=... chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."
dir=$1
kind=$2
stamp=$dir/.lock-stamp
. requirements/how_to_install.sh

probe='import ensurepip, sys, venv
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

# A command may be there and still not work (a shim without a version behind it): run it.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        if "$PYTHON" -c "$probe" >/dev/null 2>&1; then
            echo "$PYTHON"
            return
        fi
        set -- "$PYTHON"
    else
        set -- python3 python3.13 python3.12 python3.11
    fi
    for candidate in "$@"; do
        if "$candidate" -c "$probe" >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    # Debian and Ubuntu part venv and pip from Python itself.
    for candidate in "$@"; do
        if "$candidate" -c "$supported" >/dev/null 2>&1; then
            package=python$(version_of "$candidate")-venv
            if [ "$candidate" = python3 ]; then
                package=python3-venv
            fi
            missing "$candidate is Python $(version_of "$candidate") without its modules venv and ensurepip. Install them, then try again:" \
                "$(how_to_install "$package" python3 python python3 python3 python@3.13)"
            return 1
        fi
    done
    found=""
    for candidate in "$@"; do
        if version=$("$candidate" --version 2>/dev/null); then
            found="$found $candidate is $version."
        fi
    done
    why="Anyon needs Python 3.11, 3.12 or 3.13 with venv and pip, and none was found.${found}"
    packages=$(how_to_install "$(debian_pythons "$found")" python3.13 python python3 python313 python@3.13)
    if [ -n "$packages" ]; then
        missing "$why Install one (or name one: make PYTHON=/path/to/python ...):" "$packages"
    else
        missing "$why No package of this system is known to have one; with uv (https://docs.astral.sh/uv), make it so, and try again with make PYTHON=\"\$(uv python find 3.13)\" ...:" \
            "uv python install 3.13"
    fi
    return 1
}

# Where python3 is another version, `apt install python3` changes nothing.
debian_pythons() {
    if [ -z "$1" ]; then
        echo "python3 python3-venv"
        return
    fi
    for version in 3.13 3.12 3.11; do
        if apt-cache show "python$version-venv" >/dev/null 2>&1; then
            echo "python$version python$version-venv"
            return
        fi
    done
    echo -
}

# Anyon runs git for everything that it does to a repository.
check_git() {
    if ! version=$(git --version 2>/dev/null); then
        missing "Anyon needs git 2.38 or newer, and no git was found. Install it, then try again:" \
            "$(how_to_install git git git git git git)"
        return 1
    fi
    number=${version#git version }
    major=${number%%.*}
    rest=${number#*.}
    minor=${rest%%.*}
    case $major$minor in
        *[!0-9]* | "") return 0 ;;
    esac
    if [ "$major" -lt 2 ] || { [ "$major" -eq 2 ] && [ "$minor" -lt 38 ]; }; then
        missing "Anyon needs git 2.38 or newer; this one is $number. Install a newer one (on Debian 11 and Ubuntu 22.04: from backports, or the PPA git-core), then try again:" \
            "$(how_to_install git git git git git git)"
        return 1
    fi
}

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'
}

# Where the tree lies is part of it: environments do not survive being moved.
wanted() {
    {
        pwd
        echo "$1"
        cat "requirements/$kind.txt" pyproject.toml
    } | cksum
}

if [ -f "$stamp" ] && version=$(version_of "$dir/bin/python" 2>/dev/null); then
    if [ -z "${PYTHON:-}" ] || [ "$version" = "$(version_of "$PYTHON" 2>/dev/null)" ]; then
        if [ "$(cat "$stamp")" = "$(wanted "$version" 2>/dev/null)" ]; then
            exit 0
        fi
    fi
fi

check_git
python=$(find_python)
version=$(version_of "$python")
echo "Preparing $dir with Python $version ..." >&2
rm -f "$stamp"
"$python" -m venv --clear "$dir"

# What pip says goes to a file as well, so that a missing network is told from all else.
said=$dir/pip-errors
pip() {
    if "$dir/bin/python" -m pip --disable-pip-version-check "$@" 2>"$said"; then
        cat "$said" >&2
        return
    fi
    packages="The packages in requirements/$kind.txt"
    if reason=$(unreachable); then
        missing "$packages could not be fetched: the package index was not reached ($reason). They are fetched once. With a network, or a proxy (HTTPS_PROXY), another index (PIP_INDEX_URL) or its certificates (PIP_CERT), try again." ""
    else
        cat "$said" >&2
        missing "$packages could not be installed (the reason stands above)." ""
    fi
    exit 1
}

# The last reason for which there was no connection; fails if there was one.
unreachable() {
    grep -E "after connection broken by|Could not fetch URL" "$said" | tail -n 1 |
        sed -E -e "s/.*(NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|SSLError|ProtocolError)\(//" \
            -e "s/<[^>]*>(: )?//g" -e "s/'?\)+'?: \/.*//" -e "s/^[\"' ,(]*//" -e "s/[\"' ,)]*\$//" |
        grep .
}

pip install --quiet --require-hashes -r "requirements/$kind.txt"
pip install --quiet --no-deps --no-build-isolation -e .
wanted "$version" >"$stamp"
