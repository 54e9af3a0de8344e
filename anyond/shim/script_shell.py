"""Running a script as if it were typed into a terminal of the person: `python script_shell.py`.

A program of its own, run by its path with the standard library only. It starts the person's shell
once to learn what a new terminal would have (variables, and functions if it is bash), and becomes
`bash -c SCRIPT` with that. The script itself runs in a shell that is neither interactive nor a
login shell, so a profile changes neither how it ends nor what its errors mean.

    script_shell.py PROFILE NAMES SCRIPT     PROFILE: terminal, login, none
                                             NAMES: variables that the profile cannot change
    script_shell.py --dump FILE              write down the environment, for the other one
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

TIMEOUT_S = {"terminal": 20.0, "login": 10.0}
"""How long a profile may take; after that the script runs without it."""

READS_PROFILE = "ANYON_READS_PROFILE"
"""Set while a profile is read, so that a profile can leave things out."""

_NOT_A_SHELL = {"nologin", "false", "true", "sync", "git-shell", ""}
_OF_THE_SHELL = ("_", "SHLVL", "PWD", "OLDPWD", READS_PROFILE)

# A login shell of bash reads only one file, which usually reads ~/.bashrc; a terminal has both.
_BASH_RC = """
for __f in ~/.bash_profile ~/.bash_login ~/.profile; do [ -r "$__f" ] && break; __f=; done
if [ -r ~/.bashrc ] && ! { [ -n "$__f" ] && grep -q bashrc "$__f"; }; then . ~/.bashrc; fi
unset __f
"""

# What direnv, mise and others do when the person is asked for the next command.
_PROMPT = {
    "bash": 'for __c in "${PROMPT_COMMAND[@]}"; do eval "$__c"; done; unset __c',
    "zsh": "for __f in ${chpwd_functions-} ${precmd_functions-}; do $__f; done; unset __f",
    "fish": "emit fish_prompt",
}

# Tools that are functions only. Who has another shell gets those of bash at the first use.
_TOOLS = (
    ("nvm", "NVM_DIR", "nvm.sh", '. "$NVM_DIR/nvm.sh" --no-use'),
    ("sdk", "SDKMAN_DIR", "bin/sdkman-init.sh", '. "$SDKMAN_DIR/bin/sdkman-init.sh"'),
    ("conda", "CONDA_EXE", "", 'eval "$("$CONDA_EXE" shell.bash hook)"'),
)


@dataclass
class Profile:
    """The shell and the environment of a new terminal of the person."""

    environ: dict[bytes, bytes]
    functions: bytes = b""
    shell: str = ""
    remarks: list[str] = field(default_factory=list)


def command_line(how: str, variables: Iterable[str], script: str) -> tuple[str, ...]:
    """Return the command that starts this program.

    Args:
        how: `terminal` or `login`.
        variables: the names of those that a profile cannot change.
    """
    names = "=".join((*variables, "ANYON_EXECUTION"))
    program = os.path.abspath(__file__)
    return (sys.executable, "-I", "-S", program, how, names, script)


def shell_of(environ: dict[str, str]) -> str | None:
    """The program that the person has in a terminal; None if there is none."""
    candidates = [environ.get("SHELL", "")]
    with suppress(KeyError):  # an account that only has a number, as in containers
        candidates.append(pwd.getpwuid(os.getuid()).pw_shell)
    for path in candidates:
        usable = os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.X_OK)
        if usable and os.path.basename(path) not in _NOT_A_SHELL:
            return path
    return None


def command(shell: str, how: str, directory: str) -> list[str]:
    """The command that reads the profile and writes down what came of it.

    Args:
        how: `terminal` or `login`.
        directory: where to.
    """
    name = os.path.basename(shell)
    dump = dump_command(directory)
    interactive = how == "terminal"
    if name in ("tcsh", "csh"):  # -l goes with nothing else
        return [shell, "-c", dump]
    if name in ("nu", "pwsh"):
        return [shell, "-l", "-c", ("^" if name == "nu" else "& ") + dump]
    parts = [dump]
    if name == "bash":
        functions = shlex.quote(os.path.join(directory, "functions"))
        parts = [f"declare -f > {functions}", dump]
    if interactive and name in _PROMPT:
        parts.insert(0, _PROMPT[name])
    if interactive and name == "bash":
        parts.insert(0, _BASH_RC)
    known = {"bash", "zsh", "fish", "sh", "dash", "ash", "ksh", "mksh", "yash"}
    flags = ["-l", "-i"] if interactive and name in known else ["-l"]
    return [shell, *flags, "-c", "\n".join(parts)]


def dump_command(directory: str) -> str:
    """The command that writes down the environment, for any shell."""
    words = (sys.executable, "-I", "-S", os.path.abspath(__file__), "--dump")
    return " ".join("'{}'".format(w.replace("'", "'\\''")) for w in (*words, f"{directory}/env"))


def read_profile(shell: str, how: str, environ: dict[str, str]) -> Profile | None:
    """Start the shell and see what it has then; None if nothing came of it in time."""
    with tempfile.TemporaryDirectory(prefix="anyon-profile-") as directory:
        # A profile may become another shell (`exec zsh`); that one reads its commands from here.
        with tempfile.TemporaryFile(dir=directory) as commands:
            commands.write(dump_command(directory).encode() + b"\n")
            commands.seek(0)
            try:
                child = subprocess.Popen(
                    command(shell, how, directory),
                    stdin=commands,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={**environ, READS_PROFILE: "1"},
                    start_new_session=True,
                )
            except OSError:
                return None
        try:
            child.wait(TIMEOUT_S[how])
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        return _read(directory)


def _read(directory: str) -> Profile | None:
    try:
        with open(os.path.join(directory, "env"), "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return None
    found = dict(entry.split(b"=", 1) for entry in entries if b"=" in entry)
    try:
        with open(os.path.join(directory, "functions"), "rb") as file:
            return Profile(found, file.read())
    except OSError:
        return Profile(found)


def joined_path(own: bytes, profiles: bytes) -> bytes:
    """PATH as the profile makes it, without losing what the daemon was given.

    What stood before everything else there (an activated environment) stands there still.
    """
    new = [part for part in profiles.split(b":") if part]
    old = [part for part in own.split(b":") if part]
    front = []
    while old and old[0] not in new:
        front.append(old.pop(0))
    rest = [part for part in old if part not in new]
    return b":".join(dict.fromkeys([*front, *new, *rest]))


def environment_of(how: str, fixed: set[bytes]) -> Profile:
    """Return the environment of a script that is run with the profile `how`."""
    own = dict(os.environb)
    shell = shell_of(dict(os.environ)) if how != "none" else None
    if shell is None:
        return Profile(own)
    found = read_profile(shell, how, dict(os.environ))
    remarks = []
    if found is None:
        name = os.path.basename(shell)
        what = f"Anyon: {shell} did not come to an end with its {how} profile"
        remarks.append(f"{what}, so the script runs without it.")
        if how == "terminal":
            found = read_profile(shell, "login", dict(os.environ))
            if found is not None:
                remarks = [f"{what}, so the script has what a login shell of {name} has."]
    if found is None:
        return Profile(own, remarks=remarks)
    environ = {k: v for k, v in found.environ.items() if k not in fixed}
    for name_ in _OF_THE_SHELL:
        environ.pop(name_.encode(), None)
    environ |= {k: v for k, v in own.items() if k in fixed or k in (b"PWD", b"SHLVL")}
    if b"PATH" not in fixed:
        environ[b"PATH"] = joined_path(own.get(b"PATH", b""), environ.get(b"PATH", b""))
    return Profile(environ, found.functions, os.path.basename(shell), remarks)


def tools(environ: dict[bytes, bytes]) -> str:
    """Definitions of the functions that the person of another shell has without bash knowing."""
    lines = []
    for name, variable, file, load in _TOOLS:
        place = environ.get(variable.encode())
        if place and os.path.isfile(os.path.join(place, file.encode()) if file else place):
            lines.append(f'{name}() {{ unset -f {name}; {load}; {name} "$@"; }}\n')
    return "".join(lines)


def run(how: str, names: str, script: str) -> None:
    """Become bash with the script. Does not return."""
    profile = environment_of(how, {os.fsencode(name) for name in names.split("=") if name})
    for remark in profile.remarks:
        print(remark, file=sys.stderr, flush=True)
    bash = shutil.which("bash", path=os.fsdecode(profile.environ.get(b"PATH", b"")))
    if bash is None:
        print("Scripts are run with bash; install it.", file=sys.stderr, flush=True)
        os._exit(127)
    functions = profile.functions
    if not functions.strip():
        functions = tools(profile.environ).encode()
    before = ""
    if functions.strip():
        with tempfile.TemporaryFile() as file:
            file.write(functions)
            file.flush()
            os.lseek(file.fileno(), 0, os.SEEK_SET)
            number = os.dup2(file.fileno(), 9, inheritable=True)
        # On the first line of the script, so that errors name the right ones. Functions of
        # completions need extglob to be read at all.
        before = f"shopt -s extglob; . /dev/fd/{number} 2>/dev/null; shopt -u extglob; "
        before += f"exec {number}<&-; "
    os.execve(bash, ["bash", "-c", before + script], profile.environ)


def dump(path: str) -> None:
    """Write the environment to `path`, at once or not at all."""
    with open(f"{path}.new", "wb") as file:
        file.write(b"\0".join(name + b"=" + value for name, value in os.environb.items()))
    os.rename(f"{path}.new", path)


if __name__ == "__main__":
    if sys.argv[1] == "--dump":
        dump(sys.argv[2])
    else:
        run(*sys.argv[1:4])
