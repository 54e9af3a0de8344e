"""Making git take files as they are, whatever a repository wants to be done with them."""

from __future__ import annotations

from pathlib import Path

from anyond.git.program.command import git
from anyond.git.program.text import split

_PLAIN = {
    "core.autocrlf": "false",
    "core.safecrlf": "false",
    # Two names that differ in their case only are two files, if the disk has both.
    "core.ignorecase": "false",
}
_NO_FILTER = {"clean": "", "smudge": "", "process": "", "required": "false"}


async def verbatim(worktree: Path) -> tuple[str, ...]:
    """The `-c` options with which neither line ends nor the case of names nor filters matter.

    A filter is a program of the person's; it may be gone, or refuse.
    """
    ask = ("config", "--null", "--name-only", "--get-regexp", r"^filter\..*\.")
    names = split((await git(*ask, cwd=worktree, check=False)).out)
    filters = {name.rpartition(".")[0] for name in names}
    settings = [f"{name}={value}" for name, value in _PLAIN.items()]
    for name in sorted(filters):
        settings += [f"{name}.{part}={value}" for part, value in _NO_FILTER.items()]
    return tuple(word for setting in settings for word in ("-c", setting))
