# How this system installs what is missing. Read by the scripts beside it (`. requirements/how_to_install.sh`).

# The package names differ, so they are given in the order Debian, Fedora, Arch, Alpine, openSUSE,
# Homebrew; `-` where the system has no package that would do.
how_to_install() {
    sudo="sudo "
    if [ "$(id -u)" -eq 0 ]; then
        sudo=""
    fi
    if command -v apt-get >/dev/null 2>&1; then
        command_for "${sudo}apt install" "$1"
    elif command -v dnf >/dev/null 2>&1; then
        command_for "${sudo}dnf install" "$2"
    elif command -v pacman >/dev/null 2>&1; then
        command_for "${sudo}pacman -S" "$3"
    elif command -v apk >/dev/null 2>&1; then
        command_for "${sudo}apk add" "$4"
    elif command -v zypper >/dev/null 2>&1; then
        command_for "${sudo}zypper install" "$5"
    elif [ "$(uname -s)" = Darwin ]; then
        command_for "brew install" "$6"
    fi
}

command_for() {
    if [ "$2" != - ]; then
        echo "$1 $2"
    fi
}

# The sentence and, where it is known, the command below it.
missing() {
    echo "$1" >&2
    if [ -n "$2" ]; then
        echo "    $2" >&2
    fi
}
