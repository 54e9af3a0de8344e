"""Completion of what a person types: attempts, agents and projects, as they are now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from anyond.cli.frame.session import Session

if TYPE_CHECKING:
    from anyond.client import BlockingClient

_TIMEOUT_S = 2.0
_MOST = 200

Found = list[tuple[str, str]]
"""Values, each with what it is."""


class Completed(click.ParamType[str]):
    """A text whose possible values the daemon is asked for while it is typed.

    Args:
        name: what it is, for messages.
        values: asks the daemon.
    """

    def __init__(self, name: str, values: Callable[[BlockingClient, str], Found]) -> None:
        self.name = name
        self._values = values

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The values that begin so; none if the daemon does not say at once."""
        from anyond.cli.rendering.harmless import in_one_line

        session = ctx.find_root().ensure_object(Session)
        try:
            with session.client() as client:
                found = self._values(client, incomplete)
        except Exception:  # a shell that completes has no place for a failure
            return []
        return [
            CompletionItem(value, help=in_one_line(text))
            for value, text in found
            if value == in_one_line(value)
        ]


def _attempts(client: BlockingClient, incomplete: str) -> Found:
    from anyond.api import attempts

    asked = attempts.SummarizedAttempts(limit=_MOST, closed=bool(incomplete))
    listed = client.call(attempts.LIST_ATTEMPT_SUMMARIES, asked, timeout_s=_TIMEOUT_S)
    found: Found = []
    for one in listed:
        text = f"{one.title} ({one.state})"
        last = one.branch.rpartition("/")[2]
        if str(one.number).startswith(incomplete):
            found.append((str(one.number), text))
        elif one.branch.startswith(incomplete):
            found.append((one.branch, text))
        elif last.startswith(incomplete):
            found.append((last, text))
        elif len(incomplete) >= 3 and one.id.startswith(incomplete):
            found.append((one.id, text))
    return found


def _agents(client: BlockingClient, incomplete: str) -> Found:
    from anyond.api import system

    agent, colon, _ = incomplete.partition(":")
    info = client.call(system.GET_SYSTEM_INFO, timeout_s=_TIMEOUT_S)
    found: Found = []
    for name, variants in info.executors.items():
        known = info.availability.get(name)
        text = known.path or known.problem or "" if known is not None else ""
        if not colon and name.lower().startswith(incomplete.lower()):
            found.append((name.lower(), text))
        elif colon and name.lower() == agent.lower():
            found.extend((f"{agent}:{variant}", text) for variant in variants)
    return [one for one in found if one[0].lower().startswith(incomplete.lower())]


def _projects(client: BlockingClient, incomplete: str) -> Found:
    from anyond.api import projects

    listed = client.call(projects.LIST_PROJECTS, timeout_s=_TIMEOUT_S)
    return [
        (one.name, one.git_repo_path)
        for one in listed
        if one.name.lower().startswith(incomplete.lower())
    ]


ATTEMPT = Completed("attempt", _attempts)
AGENT = Completed("agent", _agents)
PROJECT = Completed("project", _projects)
