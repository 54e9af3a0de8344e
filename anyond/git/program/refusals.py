"""Failures of git by a program of the person's: a hook, a filter, or a signing program.

Git hands on the exit status of what it runs, and little else. Its own words are few, English, and
looked for here; those of the programs are anybody's, and are only passed on. Where git does not say
which program it was, the configuration and the directory of hooks do.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

import trio
from msgspec import Struct

from anyond.git.disk import plain_files
from anyond.git.program.programs import Setting
from anyond.git.program.text import as_utf8
from anyond.model.refusals.git import (
    DubiousOwnership,
    FilterFailed,
    FilterMissing,
    GitConfigBroken,
    HeadBroken,
    HookRefused,
    ObjectsMissing,
    Refused,
    RepositoryMissing,
    SigningFailed,
    TransportWithheld,
)

_TRANSPORT = re.compile(r"transport '[^']*' not allowed")
_OWNER = re.compile(r"detected dubious ownership in repository at '(.*)'")
_NO_REPOSITORY = "not a git repository"
_NO_HEAD = re.compile(r"not a git repository|Failed to resolve HEAD as a valid ref")
_HEAD = re.compile(rb"ref: refs/\S.*\n?|[0-9a-f]{40}([0-9a-f]{24})?\n?")
_CONFIG = re.compile(
    r"(?mi)^fatal: (.*bad config (?:line|variable|value).*|bad (?:boolean|numeric) config value.*"
    r"|exceeded maximum include depth.*|unknown error occurred while reading the configuration.*"
    r"|expected git repo version.*|unknown repository extensions? found:(?:\n\t\S+)*)$"
)
_PROMISED = re.compile(r"could not fetch \S+ from promisor remote")
_COMMIT_HOOKS = ("pre-commit", "prepare-commit-msg", "commit-msg")
_HOOK = re.compile(
    r"The (?P<a>pre-rebase) hook refused to rebase"
    r"|'(?P<b>[a-z-]+)' hook failed"
    r"|(?P<c>ref) updates aborted by hook|aborted by the (?P<d>reference-transaction) hook"
    r"|cannot (?:exec|run|spawn) '?.*hooks/(?P<e>[a-z-]+)'?:"
)
_FILTER = re.compile(r"(?m)^fatal: .*: (?:clean|smudge) filter '?(.+?)'? failed$")
_PARTS = ("process", "clean", "smudge")
_FILTER_ENDED = "the remote end hung up unexpectedly"
# Commands at whose other end is a remote; in all others, that is a filter.
_REMOTE = {"push", "fetch", "clone", "ls-remote", "submodule"}
_SIGNING = re.compile(
    r"gpg failed to sign|failed to sign the data|cannot run '?\S*(?:gpg|gpgsm|ssh-keygen)\S*:"
    r"|gpg\.ssh\.|user\.signingkey|couldn't load public key|signing key",
    re.IGNORECASE,
)
_ACTS = {"commit", "rebase", "merge", "push", "checkout"}
_GITS_OWN = ("hint:", "fatal:", "error: failed to write commit object", "Could not apply ")
_PROGRESS = re.compile(r"\ARebasing \(\d+/\d+\)")


class Asking(Struct, frozen=True):
    """Questions where the command has failed.

    Args:
        settings: reads all that hold there; nothing if they cannot be read.
        hooks: finds the directory of hooks, or None.
        path: where programs are looked for.
        withheld: git was told to run no programs of the repository's (see `guard`).
        common_dir: the repository, if git was told where it is.
        cwd: where git looks for it if not.
    """

    settings: Callable[[], Awaitable[list[Setting]]]
    hooks: Callable[[], Awaitable[Path | None]]
    path: str
    withheld: bool = False
    common_dir: Path | None = None
    cwd: Path | None = None


async def of(verb: str, code: int, err: str, ask: Asking) -> Refused | None:
    """Return the refusal by the program that made a command fail; None if git did so itself.

    Args:
        verb: the command of git's.
        code: its exit status, which is not 0.
        err: what it and the programs have said.
    """
    if code < 0:
        return None
    transport = _TRANSPORT.search(err)
    if ask.withheld and transport is not None:
        return TransportWithheld(transport[0])
    owned = _OWNER.search(err)
    if owned is not None:
        return DubiousOwnership(as_utf8(owned[1]))
    if _NO_HEAD.search(err) and ask.common_dir is not None:
        head = ask.common_dir / "HEAD"
        if await trio.to_thread.run_sync(_is_broken, head):
            return HeadBroken(as_utf8(str(head)))
    if _NO_REPOSITORY in err:
        place = ask.common_dir or ask.cwd
        if place is not None and not await trio.to_thread.run_sync(_is_repository, place):
            top = place.parent if place.name == ".git" else place
            return RepositoryMissing(as_utf8(str(top)))
    config = _CONFIG.search(err)
    if config is not None:
        why = " ".join(config[1].split())
        if why.startswith("unknown repository extension"):
            why += "; a newer git may know it"
        return GitConfigBroken(as_utf8(why))
    promised = _PROMISED.search(err)
    if promised is not None:
        return ObjectsMissing(promised[0])
    if verb not in _REMOTE and (_FILTER_ENDED in err or _FILTER.search(err)):
        return await _filter(err, ask)
    if _SIGNING.search(err):
        return SigningFailed(_output(err))
    found = _HOOK.search(err)
    if found is not None:
        name = next(group for group in found.groups() if group)
        return _hook("reference-transaction" if name == "ref" else name, verb, err)
    # With whatever status a hook ends, this is git's; its own reasons have another one.
    if verb == "commit" and code == 1:
        names = await _commit_hooks(ask)
        if names:
            return _hook(names[0] if len(names) == 1 else None, verb, err)
    return None


def _is_repository(place: Path) -> bool:
    return all(os.path.exists(place / name) for name in ("HEAD", "objects", "refs"))


def _is_broken(head: Path) -> bool:
    """Return whether a repository is there, and its HEAD is none."""
    if not (head.parent / "objects").is_dir():
        return False
    try:
        text = plain_files.read(head)
    except OSError:
        return True
    name = text.removeprefix(b"ref: ").strip()
    return _HEAD.fullmatch(text) is None or b".." in name


# ---------------------------------------------------------------- hooks


def _hook(name: str | None, verb: str, err: str) -> HookRefused:
    what = f"the {verb}" if verb in _ACTS else "a change of a reference"
    return HookRefused(name, what, _output(err))


async def _commit_hooks(ask: Asking) -> list[str]:
    """The hooks that can have refused a commit."""
    place = await ask.hooks()
    if place is None:
        return []
    found = await trio.to_thread.run_sync(_executable, place, _COMMIT_HOOKS)
    # Newer versions of git have hooks in the configuration, too.
    events = [s.value for s in await ask.settings() if s.key.startswith("hook.")]
    return [*found, *(name for name in _COMMIT_HOOKS if name in events and name not in found)]


def _executable(place: Path, names: Iterable[str]) -> list[str]:
    return [name for name in names if os.access(place / name, os.X_OK)]


# ---------------------------------------------------------------- filters


async def _filter(err: str, ask: Asking) -> FilterFailed:
    filters = by_filter(await ask.settings())
    named = _FILTER.search(err)
    if named is not None:
        filters = {named[1]: filters.get(named[1], {})}
    for name, parts in filters.items():
        program = await trio.to_thread.run_sync(missing_program, parts, ask.path)
        if program is not None and is_required(parts):
            return FilterMissing(name, program)
        if named is not None and not any(parts.get(part) for part in _PARTS):
            return FilterMissing(name, None)
    name = next(iter(filters)) if len(filters) == 1 else ""
    return FilterFailed(name, _output(err))


def by_filter(settings: Iterable[Setting]) -> dict[str, dict[str, str]]:
    """Group the settings by filter."""
    filters: dict[str, dict[str, str]] = {}
    for setting in settings:
        section, _, rest = setting.key.partition(".")
        name, _, part = rest.rpartition(".")
        if section == "filter" and name:
            filters.setdefault(name, {})[part] = setting.value
    return filters


def is_required(parts: Mapping[str, str]) -> bool:
    """Return whether git goes on without that filter."""
    return parts.get("required", "").lower() in {"true", "yes", "on", "1"}


def missing_program(parts: Mapping[str, str], path: str) -> str | None:
    """The program that a filter wants and that is not there. Blocks on the disk."""
    for part in _PARTS:
        try:
            words = shlex.split(parts.get(part, ""))
        except ValueError:
            continue
        # Whatever else a shell may make of it, it is no name of a program.
        if words and re.fullmatch(r"[\w./+-]+", words[0]) and not shutil.which(words[0], path=path):
            return words[0]
    return None


# ---------------------------------------------------------------- words


def _output(err: str) -> str:
    """Return the program's own output, without what git adds to it."""
    lines = []
    for raw in err.splitlines():
        line = _PROGRESS.sub("", raw).strip()
        if line and not line.startswith(_GITS_OWN) and not line.endswith("' hook failed"):
            lines.append(line)
    return "\n".join(dict.fromkeys(lines))
