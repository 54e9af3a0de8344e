"""References to attempts: a number, the beginning of an id, a branch, words of a title, `-`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.rendering.harmless import in_one_line
from anyond.model.http.summaries import AttemptSummary

if TYPE_CHECKING:
    from anyond.client import BlockingClient

_LISTED = 10
_SHORTEST_ID = 3


class NoSuchAttempt(CommandFailed):
    """Nothing, or more than one thing, is meant by a reference."""

    def __init__(self, sentence: str, type: str = "not_found") -> None:
        super().__init__(sentence, ExitCode.FAILED, type)


def resolve(client: BlockingClient, reference: str | None) -> AttemptSummary:
    """The attempt that is meant; without a reference, that of the worktree one is in.

    Raises:
        NoSuchAttempt: there is none, or several; these are listed.
    """
    if reference is None:
        return _here(client)
    if reference == "-":
        return _last(client)
    found = pick(fetched(client, reference), reference)
    remember(found)
    return found


def fetched(client: BlockingClient, search: str | None, limit: int = 200) -> list[AttemptSummary]:
    """All attempts that can be meant by `search`, those of done tasks too."""
    from anyond.api import attempts

    asked = attempts.SummarizedAttempts(search=search, closed=True, limit=limit)
    return client.call(attempts.LIST_ATTEMPT_SUMMARIES, asked)


def pick(candidates: Sequence[AttemptSummary], reference: str) -> AttemptSummary:
    """The one of `candidates` that is meant, by the most exact way that means any.

    Raises:
        NoSuchAttempt: none or several.
    """
    text = reference.lower()
    ways: list[Callable[[AttemptSummary], bool]] = [
        lambda one: reference == str(one.number),
        lambda one: text == one.id,
        lambda one: text == one.task_id,
        lambda one: reference == one.branch,
        lambda one: one.branch.endswith(f"/{reference}"),
        lambda one: text == one.title.lower(),
        lambda one: len(text) >= _SHORTEST_ID and one.id.startswith(text),
        lambda one: len(text) >= _SHORTEST_ID and one.task_id.startswith(text),
        lambda one: all(word in one.title.lower() for word in text.split()),
    ]
    for way in ways:
        found = [one for one in candidates if way(one)]
        if len(found) == 1:
            return found[0]
        if found:
            listed = "\n".join(f"  {described(one)}" for one in found[:_LISTED])
            more = f"\n  and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
            raise NoSuchAttempt(
                f"`{in_one_line(reference)}` can mean {len(found)} attempts:\n{listed}{more}\n"
                "Name one by its number.",
                "ambiguous",
            )
    raise NoSuchAttempt(
        f"No attempt is meant by `{in_one_line(reference)}`. `anyon ps -a` lists all."
    )


def described(one: AttemptSummary) -> str:
    """An attempt in one line: number, title, branch."""
    return f"{one.number}  {in_one_line(one.title)}  ({in_one_line(one.branch)}, {one.state})"


def remember(one: AttemptSummary) -> None:
    """From now on `-` is this one."""
    path = _memory()
    if path.parent.is_dir():
        with suppress(OSError):  # only a comfort
            path.write_text(one.id, encoding="ascii")


def _here(client: BlockingClient) -> AttemptSummary:
    from anyond.api import containers
    from anyond.client import Refused

    try:
        where = containers.OfPlace(ref=os.getcwd())
        found = client.call(containers.GET_CONTAINER_INFO, where)
    except (Refused, FileNotFoundError):
        raise NoSuchAttempt(
            "This is not the worktree of an attempt. Name one: `anyon ps` lists them."
        ) from None
    return by_id(client, found.attempt_id)


def _last(client: BlockingClient) -> AttemptSummary:
    try:
        last = _memory().read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        last = ""
    if not last:
        raise NoSuchAttempt("`-` is the attempt that was named last, and none was yet.")
    return by_id(client, last)


def by_id(client: BlockingClient, attempt_id: str) -> AttemptSummary:
    """The summary of the attempt with that id. Raises `NoSuchAttempt`."""
    found = [one for one in fetched(client, attempt_id) if one.id == attempt_id]
    if not found:
        raise NoSuchAttempt(f"The attempt {attempt_id} is not there any more.")
    return found[0]


def _memory() -> Path:
    from anyond.host.app_paths import AppPaths

    return AppPaths.of().runtime_dir / "last-attempt"
