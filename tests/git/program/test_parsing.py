"""What git says about a large repository keeps nobody waiting."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

import anyond.git
from anyond.git.commits import commit
from anyond.git.diff import assume_unchanged, diff, obstacles, status
from anyond.git.files import file_listing
from anyond.git.repo import excludes, history
from anyond.git.repo.repository import Repositories
from anyond.git.submodules import submodules
from tests.support.checkout import Checkout

FILES = [f"{n % 50:0100d}/{n}.txt" for n in range(2000)]
LARGE = 1 << 17


@contextmanager
def looked_through() -> Iterator[list[str]]:
    """What of `anyond.git` looks through many bytes while the loop stands still for it."""
    found: list[str] = []
    room = anyond.git.__path__[0]

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        waits = code.co_flags & (inspect.CO_COROUTINE | inspect.CO_GENERATOR)
        if event == "call" and not waits and code.co_filename.startswith(room):
            given = [frame.f_locals[name] for name in code.co_varnames[: code.co_argcount]]
            if any(isinstance(one, bytes) and len(one) >= LARGE for one in given):
                found.append(code.co_qualname)

    sys.setprofile(note)  # of this thread only
    try:
        yield found
    finally:
        sys.setprofile(None)


@pytest.fixture
def large(repo: Checkout) -> Checkout:
    repo.commit(dict.fromkeys(FILES, "old\n"), "many files")
    return repo


async def test_many_files_and_their_history_are_listed_beside_everything_else(
    large: Checkout,
) -> None:
    with looked_through() as found:
        listed = await file_listing.take(large.path, ignored=False)
        counted = await history.counts(large.path, "HEAD")
        saved = await submodules.only_here(large.path, {})
    assert set(FILES) <= set(listed.files)
    assert set(FILES) <= set(counted)
    assert saved == []
    assert found == []


async def test_many_changes_are_compared_beside_everything_else(large: Checkout) -> None:
    base = large.oid()
    large.commit(dict.fromkeys(FILES, "newer\n"))
    for name in FILES:
        large.write(name, "new\n")
        large.write(f"{name}.new")
    with looked_through() as found:
        compared = await diff.snapshot(large.path, base)
        seen = await status.status(large.path)
        overwritten = await obstacles.in_the_way(large.path, base, large.oid())
    assert len(compared) == 2 * len(FILES)
    assert len(seen.changed) == len(FILES)
    assert set(overwritten) == set(FILES)
    assert found == []


async def test_many_files_are_committed_and_hidden_beside_everything_else(large: Checkout) -> None:
    for name in FILES:
        large.write(name, "new\n")
    with looked_through() as found:
        await assume_unchanged.look_again(large.path, {})
        hidden = await excludes.hide(Repositories(), large.path, [FILES[0], "own.txt"])
        made = await commit.commit_all(large.path, "Everything")
    assert hidden == ["own.txt"]
    assert made == large.oid()
    assert found == []
