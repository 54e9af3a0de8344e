"""Annotations of fields: the kinds of text that clients send, and the facts of a setting.

`Annotated[str, …]` is a `str` for everybody else. What each kind demands is in
`anyond.api.declaration.checks`, what a setting's text must be in `anyond.settings.checks`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

Id = Annotated[str, Meta(extra={"kind": "id", "hint": "<uuid>"})]
"""A UUID with hyphens; it is made lower case."""
IdOrEmpty = Annotated[str, Meta(extra={"kind": "id_or_empty"})]
"""The same, or "", which clears."""
Line = Annotated[str, Meta(extra={"kind": "line"})]
"""A name or a title: something is visible, and not too much."""
LineOrEmpty = Annotated[str, Meta(extra={"kind": "line_or_empty"})]
"""The same, or ""."""
Prose = Annotated[str, Meta(extra={"kind": "prose"})]
"""A description or a script, which may be long, but not absurdly."""
Prompt = Annotated[str, Meta(extra={"kind": "prompt"})]
"""Prose that is not blank."""


class Group(StrEnum):
    """The groups of settings that are not in an object of their own, as headings."""

    AGENTS = "Agents at work"
    GIT = "Worktrees, branches and pull requests"
    SCRIPTS = "Scripts"
    CLIENTS = "What front ends keep"
    FILE = "The file"


def setting(
    text: str,
    group: Group | None = None,
    *,
    ge: float | None = None,
    le: float | None = None,
    check: str | None = None,
    secret: bool = False,
) -> Meta:
    """Declare a setting beside its type and its default: all else follows from that.

    Args:
        text: one sentence for people, which ends with a full stop.
        group: where it is listed; None for what is in an object, and for objects.
        ge: the least number that it may be.
        le: the greatest.
        check: what a text must be, by its name in `anyond.settings.checks`.
        secret: it is never shown to clients.
    """
    return Meta(
        description=text,
        ge=ge,
        le=le,
        extra={"group": group, "check": check, "secret": secret},
    )
