"""Running the git program: its environment, its deadline, its end, and its failures."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import trio
from msgspec import Struct
from msgspec.structs import replace

from anyond.git.disk import dead_locks
from anyond.git.disk.durable import MOVES_REFS, sync_names
from anyond.git.disk.locations import Location, locate, shared_by
from anyond.git.disk.locks import LockWait
from anyond.git.program import configuration, guard, letter_case, programs, refusals
from anyond.git.program.environment import environment
from anyond.git.program.failures import Output, failure, scrub
from anyond.git.program.process import run
from anyond.git.program.programs import Setting
from anyond.model.errors import TimedOut
from anyond.model.refusals.git import GitFailed, verb
from anyond.model.refusals.programs import ProgramMissing

__all__ = [
    "INSTALL",
    "MINIMUM",
    "NOT_INSIDE",
    "GitFailed",
    "Output",
    "failure",
    "git",
    "moves_refs",
    "scrub",
    "settings",
    "version",
]

MINIMUM = (2, 38)
INSTALL = "Install git 2.38 or newer: https://git-scm.com/downloads"


# A monitor of the file system is a program that every look at a checkout would run. Repositories
# inside a checkout are entered by whoever means them, and by nobody else.
# Without the file that orders the paths of a diff, git would not even look at a checkout.
_ORDER = f"diff.orderFile={os.devnull}"
_PLAINLY = ("-c", "core.fsmonitor=false", "-c", "submodule.recurse=false", "-c", _ORDER)
# Git does not wait for the disk when it writes single objects, refs and indexes, which is fast,
# and leaves empty ones when the power goes. What Anyon does in somebody's absence must be there.
_DURABLY = ("-c", "core.fsync=added", "-c", "core.fsyncMethod=batch")
_ALWAYS = (*_PLAINLY, *_DURABLY)
NOT_INSIDE = "--ignore-submodules=dirty"
"""The option of whatever compares: a repository inside counts by its commit, and is not entered."""


async def git(
    *args: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,
    check: bool = True,
    timeout: float = 300.0,
    again: bool = True,
    known: bool = True,
    lasting: bool = False,
) -> Output:
    """Run git in `cwd` and wait for it; if somebody else holds a lock that it needs, for them, too.

    If `cwd` belongs to a checkout that is known (see `locations`), git is told where that has its
    directories and looks for none itself. Programs that the repository names are run unless they
    are withheld (see `guard`).

    Args:
        args: the arguments. Names that come from outside must be full refs, object ids, or stand
            behind `--`.
        cwd: the directory to run in.
        env: what to add to its environment, which `environment` tells.
        input: what it reads from its standard input, which is empty otherwise.
        check: whether an exit status other than 0 is an error.
        timeout: seconds, for each run.
        again: whether it can be run again after it was refused for a lock.
        known: False for a directory that nobody has handed over yet: git looks for its repository
            itself, with its own check of who owns it, and runs no program that is named there.
        lasting: it goes on to its end if the daemon is killed (see `survivors`).

    Raises:
        GitFailed: it answered with another status than 0, and `check` is set.
        Locked: so it did, because somebody else did not let go of a lock.
        TimedOut: it took too long.
        ProgramMissing: there is no git, or it is too old.

    Cancellation ends git and everything it started (hooks, filters), then comes through.
    """
    words = tuple(os.fspath(arg) for arg in args)
    program = await _checked_program(os.environ.get("PATH", os.defpath))
    own = env or {}
    place = _place(cwd, own) if known else None
    there = {} if place is None else place.environment
    full = {**environment(os.environ), **there, **own}
    without: tuple[str, ...] = ()
    if _withholds(place, known):
        without = await _withheld(program, place, cwd, full, "credential.helper" in own.values())
    always = (*_ALWAYS, *letter_case.options(place), *without)
    ask, lock_wait, began = (program, *always, *words), LockWait(), time.time()
    output = await _run(ask, cwd, full, input, timeout, lasting=lasting)
    while again and output.code != 0 and await lock_wait.waited(output.err):
        output = await _run(ask, cwd, full, input, timeout, lasting=lasting)
    if moves_refs(words):
        shared = full.get("GIT_COMMON_DIR") or full.get("GIT_DIR")
        await trio.to_thread.run_sync(sync_names, cwd / shared if shared else cwd / ".git")
    if output.code == -signal.SIGKILL and place is not None and place.common_dir is not None:
        # Somebody has killed it, or the machine was out of memory: it could not tidy up.
        await dead_locks.clear(place.common_dir, began)
    if output.code != 0:
        output = await _with_reason(output, program, words, cwd, full, withheld=bool(without))
    if check and output.code != 0:
        raise failure(tuple(map(scrub, words)), output)
    return output


def moves_refs(words: tuple[str, ...]) -> bool:
    """Return whether a command may have given a ref its place; one that deletes need not be waited
    for.
    """
    at = 0
    while words[at : at + 1] == ("-c",):
        at += 2
    return words[at : at + 1] != () and words[at] in MOVES_REFS and "-d" not in words


async def version() -> tuple[int, ...]:
    """The version of the git that is used, e.g. `(2, 39, 5)`."""
    return (await _checked(os.environ.get("PATH", os.defpath))).version


async def _with_reason(
    output: Output,
    program: str,
    words: tuple[str, ...],
    cwd: Path,
    env: Mapping[str, str],
    *,
    withheld: bool,
) -> Output:
    """The same, and which program of the person's has refused, if one did."""

    async def hooks() -> Path | None:
        ask = ("rev-parse", "--git-path", "hooks")
        result = await _run((program, *_ALWAYS, *ask), cwd, env, None, 60.0)
        return cwd / result.text if result.code == 0 else None

    async def settings_there() -> list[Setting]:
        result = await _run((program, *_ALWAYS, *configuration.LIST), cwd, env, None, 60.0)
        return configuration.parse(result.out) if result.code == 0 else []

    shared = env.get("GIT_COMMON_DIR") or env.get("GIT_DIR")
    common = None if shared is None else cwd / shared
    path = env.get("PATH", os.defpath)
    ask = refusals.Asking(settings_there, hooks, path, withheld, common, cwd)
    return replace(output, refusal=await refusals.of(verb(words), output.code, output.err, ask))


# ---------------------------------------------------------------- which programs git may run


async def _withheld(
    program: str,
    place: Location | None,
    cwd: Path,
    env: Mapping[str, str],
    own_credentials: bool,
) -> tuple[str, ...]:
    """The options without programs of the repository's; none if they may run."""
    if place is not None and not place.nested:
        top = place.work_tree or place.git_dir
        plain = {**env, **place.environment}
        if await guard.allows(place, lambda: _settings(program, top, plain)):
            return ()
    result = await _run((program, *_ALWAYS, *configuration.LIST), cwd, env, None, 60.0)
    if result.code != 0:
        return ()  # no repository: git will say so
    found = programs.instead(configuration.parse(result.out))
    if own_credentials:
        # The caller has some, in place of everybody's.
        found = tuple(pair for pair in found if not pair[0].startswith("credential."))
    return tuple(word for key, value in found for word in ("-c", f"{key}={value}"))


async def settings(path: Path) -> list[Setting]:
    """All settings that hold in the checkout at `path`, whoever has made them.

    Raises:
        GitFailed: they cannot be read.
    """
    program = await _checked_program(os.environ.get("PATH", os.defpath))
    place = locate(path)
    located = {} if place is None else place.environment
    return await _settings(program, path, {**environment(os.environ), **located})


async def _settings(program: str, cwd: Path, env: Mapping[str, str]) -> list[Setting]:
    answer = await _run((program, *_ALWAYS, *configuration.LIST), cwd, env, None, 60.0)
    if answer.code != 0:
        answer = await _with_reason(answer, program, configuration.LIST, cwd, env, withheld=False)
        raise failure(configuration.LIST, answer)
    return configuration.parse(answer.out)


def _place(cwd: Path, own: Mapping[str, str]) -> Location | None:
    """The checkout that git is run in; what is told in `own` counts, wherever `cwd` is."""
    if "GIT_DIR" not in own:
        return locate(cwd)
    place, git_dir = locate(cwd, enter=False), Path(own["GIT_DIR"])
    common = Path(own.get("GIT_COMMON_DIR") or shared_by(git_dir))
    if place is not None and common.resolve() == place.common_dir:
        return place
    top = Path(own.get("GIT_WORK_TREE") or git_dir)
    if guard.of(common.resolve()) is not None:
        return Location(git_dir, common.resolve(), top)
    # That of a submodule: whoever works in the checkout may write in it, and nobody looks after it.
    return None if place is None else Location(git_dir, None, top, nested=True)


def _withholds(place: Location | None, known: bool) -> bool:
    return not known or (place is not None and (place.nested or guard.watches(place)))


# ---------------------------------------------------------------- which git


class _Git(Struct, frozen=True):
    program: str
    version: tuple[int, ...]


_found: dict[str, _Git] = {}


async def _checked(path: str) -> _Git:
    if path not in _found:
        program = shutil.which("git", path=path)
        if program is None:
            raise ProgramMissing("git", path.split(os.pathsep), INSTALL)
        result = await _run((program, "version"), Path("/"), environment(os.environ), None, 60.0)
        match = re.search(rb"(\d+)\.(\d+)(?:\.(\d+))?", result.out)
        number = tuple(int(part) for part in match.groups() if part) if match else ()
        if number < MINIMUM:
            name = ".".join(map(str, number)) or "of an unknown version"
            raise ProgramMissing("git >= 2.38", [f"{program}, which is {name}"], INSTALL)
        _found[path] = _Git(program, number)
    return _found[path]


async def _checked_program(path: str) -> str:
    return (await _checked(path)).program


async def _run(
    command: tuple[str, ...],
    cwd: Path,
    env: Mapping[str, str],
    input: bytes | None,
    timeout: float,
    *,
    lasting: bool = False,
) -> Output:
    ended = await run(command, cwd, env, input, timeout, lasting=lasting)
    if ended is None:
        what = verb(command[1:])
        raise TimedOut(f"git {what} did not end within {timeout:g} seconds and was stopped.")
    return Output(ended.code, ended.out, scrub(ended.err.decode("utf-8", "replace")))
