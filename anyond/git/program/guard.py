"""The decision whether git may run the programs that a repository names.

Theory of operation. What decides which programs git runs (configuration, hooks, attributes) is
known for each repository as a person left it: `accepted`. As long as nothing runs there, whatever
changes is the person's doing. While an agent or a script is at work, each git that Anyon starts
looks whether the files are what they were (by `stat`, nothing is read), and runs none of these
programs if something new is in them. What a run has left changed when it is over stays withheld
until a person accepts it.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import trio

from anyond.git.disk import locations
from anyond.git.disk.locations import Location
from anyond.git.program import fingerprint
from anyond.git.program.fingerprint import Fingerprint, Stamp, added
from anyond.git.program.programs import Setting

ReadSettings = Callable[[], Awaitable[list[Setting]]]


@dataclass
class _Look:
    watched: tuple[str, ...]
    stamp: Stamp
    allowed: bool


@dataclass
class Guard:
    """The accepted programs of one repository.

    Args:
        top: the person's own checkout.
        accepted: what a person has left or accepted: a hash for each name.
        always: whatever it is, it may run.
        withheld: a run has changed it, and nobody has accepted that.
        worktrees: of attempts, by their paths: what was in each when its run began.
        withheld_worktrees: the paths of those whose own hooks a run has changed.
        runs: the processes that are at work, whose changes are not the person's.
    """

    top: Path
    accepted: dict[str, str]
    always: bool = False
    withheld: bool = False
    worktrees: dict[str, dict[str, str]] = field(default_factory=dict)
    withheld_worktrees: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    _looks: dict[str, _Look] = field(default_factory=dict, repr=False)

    def forget_looks(self) -> None:
        """Look again next time, since the accepted programs have changed."""
        self._looks.clear()

    def changes(self, now: Fingerprint, worktree: str | None, main: Fingerprint) -> list[str]:
        """The names of what is in `now`, and was neither accepted nor there when the run began.

        Args:
            worktree: whose look `now` is, if it is an attempt's.
            main: a look at the person's own checkout; what that has, a worktree may have.
        """
        found = added(now.shared, self.accepted)
        if worktree is not None:
            before = {**main.worktree, **self.worktrees.get(worktree, {})}
            found += [
                name
                for name in added(now.worktree, before)
                if main.worktree.get(name) != now.worktree[name]
            ]
        return found


_guards: dict[str, Guard] = {}


def install(common_dir: Path, guard: Guard) -> None:
    """From now on, programs of that repository are run as `guard` allows."""
    _guards[str(locations.first_place(common_dir))] = guard


def of(common_dir: Path) -> Guard | None:
    """The guard of a repository, if it has one."""
    return _guards.get(str(locations.first_place(common_dir)))


def forget_worktree(path: str) -> None:
    """A worktree is gone, and with it what was changed there."""
    for guard in _guards.values():
        guard.worktrees.pop(path, None)
        guard.withheld_worktrees.discard(path)
        guard.forget_looks()


def watches(place: Location) -> bool:
    """Return whether `allows` has to be asked at all."""
    guard = of(place.common_dir) if place.common_dir is not None else None
    return guard is not None and bool(guard.runs or guard.withheld or guard.withheld_worktrees)


async def allows(place: Location, read: ReadSettings) -> bool:
    """Return whether the programs that are named in the repository may run now.

    Args:
        place: a checkout; its `common_dir` is known.
        read: asks git for the settings that hold in it.
    """
    guard = of(place.common_dir) if place.common_dir is not None else None
    if guard is None or guard.always:
        return True
    top = os.fspath(place.work_tree) if place.work_tree is not None else ""
    if guard.withheld or top in guard.withheld_worktrees:
        return False
    if not guard.runs:
        return True
    look = guard._looks.get(top)
    if look is not None and fingerprint.stamp_of(look.watched) == look.stamp:
        return look.allowed
    base = look.watched if look is not None else fingerprint.always_watched(place)
    before = fingerprint.stamp_of(base)
    now = await take(place, read)
    worktree = top if top in guard.worktrees else None
    main = await _of_main(guard, place, read) if worktree is not None else Fingerprint()
    allowed = not guard.changes(now, worktree, main)
    if fingerprint.stamp_of(base) == before:
        guard._looks[top] = _Look(now.watched, now.stamp, allowed)
    return allowed


async def take(place: Location, read: ReadSettings) -> Fingerprint:
    """A look at the repository and one of its checkouts."""
    settings = await read()
    return await trio.to_thread.run_sync(fingerprint.of, settings, place)


async def _of_main(guard: Guard, place: Location, read: ReadSettings) -> Fingerprint:
    """Return the files of the person's own checkout that a worktree has copies of."""
    settings = [setting for setting in await read() if setting.scope != "worktree"]
    there = Location(place.git_dir, place.common_dir, guard.top)
    return await trio.to_thread.run_sync(fingerprint.of, settings, there)
