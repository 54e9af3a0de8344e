"""Paths that may not be followed are refused, wherever they come from."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from anyond.files import directory
from anyond.git.commits.deletion import contained
from anyond.http.answer.refusal import refusal
from anyond.model.errors import Forbidden
from anyond.real_path import leads_into, nearest_real_path, real_path, same_place


@pytest.fixture
def unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A link that may not be read, as /proc/1/root is not in a container.

    Nobody can make one that is forbidden to root, so the system call is told to refuse it.
    """
    link, real = tmp_path / "link", os.readlink
    link.symlink_to(".")

    def refuse(path: Any, **more: Any) -> Any:
        if os.fspath(path) == str(link):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(link))
        return real(path, **more)

    monkeypatch.setattr(os, "readlink", refuse)
    return link


def refused(look: Callable[[], object]) -> Forbidden | None:
    """The refusal of `look`; newer Pythons take such a link for the end of the way."""
    try:
        look()
    except Forbidden as error:
        return error
    return None


def test_an_unreadable_link_is_a_refusal(unreadable: Path) -> None:
    for path in (unreadable, unreadable / "x", unreadable / ".." / "y"):
        error = refused(partial(real_path, path))
        assert error is None or error.data == {"type": "unreadable", "field": "path"}
        assert nearest_real_path(path).is_relative_to(unreadable.parent)


def test_places_behind_it_are_refused_and_no_mistake_of_ours(unreadable: Path) -> None:
    for look in (
        partial(directory.place, str(unreadable / ".." / "x")),
        partial(contained, unreadable.parent, "link/x"),
    ):
        error = refused(look)
        assert error is None or refusal(error, "GET", "/").status == 403


def test_nothing_leads_through_a_link_to_itself(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert not leads_into(tmp_path / "loop" / "x", tmp_path / "other")
    assert nearest_real_path(tmp_path / "loop").parent == tmp_path


@pytest.mark.parametrize(
    "number", [errno.EACCES, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR]
)
def test_a_place_that_cannot_be_had_is_never_a_mistake_of_ours(number: int) -> None:
    error = OSError(number, os.strerror(number), "/some/place")
    for raised in (error, ExceptionGroup("tasks", [error])):
        answer = refusal(raised, "GET", "/")
        assert answer.status == 403
        assert b"/some/place cannot be used" in answer.body


def test_a_shortage_is_told_as_one() -> None:
    answer = refusal(OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "GET", "/")
    assert answer.status == 503
    assert b"Too many open files" in answer.body


def test_places_are_the_same_by_whatever_links_they_are_reached(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    assert same_place(tmp_path / "there", tmp_path / "link" / ".." / "link")
    assert same_place(tmp_path / "link" / "gone", tmp_path / "there" / "gone")
    assert not same_place(tmp_path / "there", tmp_path)
    assert not same_place(tmp_path / "there", tmp_path / "there" / "gone")
