"""Rules of approval: what a person has allowed for longer than one question."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct


class ApprovalScope(StrEnum):
    """The reach of a yes.

    `once`: this question. `turn`: until this run is over. `attempt`: for all runs of this attempt.
    `project`: for all attempts in this project.
    """

    ONCE = "once"
    TURN = "turn"
    ATTEMPT = "attempt"
    PROJECT = "project"


class RuleMatch(StrEnum):
    """The likeness of a question that a rule answers.

    `same`: the same tool with the very same input. `tool`: the same tool, with any input.
    """

    SAME = "same"
    TOOL = "tool"


class ApprovalRule(Struct, frozen=True, kw_only=True):
    """One yes that goes on.

    Args:
        scope: `turn`, `attempt` or `project`.
        tool_input: the very input that is allowed; null if `match` is `tool`.
        uses: how many questions it has answered.
    """

    id: str
    scope: ApprovalScope
    match: RuleMatch
    project_id: str
    task_attempt_id: str | None
    execution_process_id: str | None
    tool_name: str
    tool_input: Any
    uses: int
    created_at: str


class Preferences(Struct, frozen=True, kw_only=True):
    """Values that clients of the person remember for all of them, such as views and keys.

    Args:
        values: by names that clients choose. In an update, names that are left out stay, and null
            removes one.
    """

    values: dict[str, Any]
