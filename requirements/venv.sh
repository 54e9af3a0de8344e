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
supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

# How this system installs what is missing: the package names differ, so they are given in the order
# Debian, Fedora, Arch, Alpine, openSUSE, Homebrew.
how_to_install() {
    sudo="sudo "
    if [ "$(id -u)" -eq 0 ]; then
        sudo=""
    fi
    if command -v apt-get >/dev/null 2>&1; then
        echo "${sudo}apt install $1"
    elif command -v dnf >/dev/null 2>&1; then
        echo "${sudo}dnf install $2"
    elif command -v pacman >/dev/null 2>&1; then
        echo "${sudo}pacman -S $3"
    elif command -v apk >/dev/null 2>&1; then
        echo "${sudo}apk add $4"
    elif command -v zypper >/dev/null 2>&1; then
        echo "${sudo}zypper install $5"
    elif [ "$(uname -s)" = Darwin ]; then
        echo "brew install $6"
    fi
}

# The sentence and, where it is known, the command below it.
missing() {
    echo "$1" >&2
    if [ -n "$2" ]; then
        echo "    $2" >&2
    fi
}

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
    missing "Anyon needs Python 3.11, 3.12 or 3.13 with venv and pip, and none was found.${found} Install one (or name one: make PYTHON=/path/to/python ...):" \
        "$(how_to_install "python3 python3-venv" python3.13 python python3 python313 python@3.13)"
    return 1
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

check_git
python=$(find_python)
version=$(version_of "$python")
echo "Preparing $dir with Python $version ..." >&2
rm -f "$stamp"
"$python" -m venv --clear "$dir"
pip() {
    "$dir/bin/python" -m pip --disable-pip-version-check "$@"
}
if ! pip install --quiet --require-hashes -r "requirements/$kind-$version.txt"; then
    missing "The packages in requirements/$kind-$version.txt could not be installed (the reason stands above)." ""
    exit 1
fi
pip install --quiet --no-deps --no-build-isolation -e .
wanted "$version" >"$stamp"
