"""Questions of agents, and the answers of a person, in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from anyond.cli.rendering.harmless import harmless, in_one_line
from anyond.model.http.bodies import Answer, ApprovalAnswer
from anyond.model.http.rules import ApprovalScope
from anyond.model.rows import Approval, ApprovalStatus

_LINES = 12


class Choice(NamedTuple):
    """A question with options, which a tool of the agent asks.

    Args:
        key: what the answer is given for.
    """

    key: str
    text: str
    options: tuple[str, ...]
    several: bool


class Rules(NamedTuple):
    """Tools that are allowed, or all denied, without asking anybody.

    Args:
        allow: names of tools; `*` stands for any text in them.
        deny: whether what is not allowed is denied.
    """

    allow: tuple[str, ...] = ()
    deny: bool = False

    def decision(self, approval: Approval) -> Answer | None:
        """The answer by these rules; None if a person has to be asked."""
        if choices(approval):
            return denied("Nobody is here to choose.") if self.deny else None
        name = approval.tool_name.lower()
        if any(fnmatchcase(name, pattern.lower()) for pattern in self.allow):
            return approved()
        return denied("It was started with --deny.") if self.deny else None


def approved(answers: dict[str, Any] | None = None, scope: ApprovalScope | None = None) -> Answer:
    """A yes, with what was chosen, and how far it reaches."""
    return Answer(
        status=ApprovalAnswer(status=ApprovalStatus.APPROVED, answers=answers, scope=scope)
    )


def denied(reason: str | None = None) -> Answer:
    """A no."""
    return Answer(status=ApprovalAnswer(status=ApprovalStatus.DENIED, reason=reason))


def question_lines(approval: Approval) -> list[str]:
    """The question in harmless lines: which tool, and with what."""
    found = choices(approval)
    if found:
        return [
            line
            for choice in found
            for line in (
                harmless(choice.text),
                *(f"  {n}. {in_one_line(option)}" for n, option in enumerate(choice.options, 1)),
            )
        ]
    lines = [f"{in_one_line(approval.tool_name)}"]
    given = approval.tool_input
    if isinstance(given, dict):
        for name, value in given.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            if text in approval.tool_name:
                continue  # it is in the line above
            lines.extend(_named(in_one_line(str(name)), harmless(text)))
    elif given is not None:
        lines.extend(_named("", harmless(json.dumps(given, ensure_ascii=False))))
    if len(lines) > _LINES:
        left_out = len(lines) - _LINES
        lines = [*lines[:_LINES], f"  … {left_out} more lines: press ? to see them"]
    return lines


def whole_lines(approval: Approval) -> list[str]:
    """All that the agent has sent with the question."""
    text = json.dumps(approval.tool_input, ensure_ascii=False, indent=2)
    return [in_one_line(approval.tool_name), *harmless(text).split("\n")]


def choices(approval: Approval) -> list[Choice]:
    """The questions with options; none if it is about a tool."""
    given = approval.tool_input
    asked = given.get("questions") if isinstance(given, dict) else None
    if not isinstance(asked, list):
        return []
    return [found for one in asked if (found := _choice(one)) is not None]


def picked(choice: Choice, texts: Sequence[str]) -> str:
    """The answer that was typed: numbers of options, or words of one's own."""
    named = []
    for text in texts:
        number = int(text) if text.isdecimal() and len(text) < 4 else 0
        named.append(choice.options[number - 1] if 1 <= number <= len(choice.options) else text)
    return ", ".join(named)


def _choice(one: Any) -> Choice | None:
    if not isinstance(one, dict) or not isinstance(one.get("question"), str):
        return None
    raw = one.get("options")
    options = [
        str(option.get("label", "")) if isinstance(option, dict) else str(option)
        for option in (raw if isinstance(raw, list) else [])
    ]
    key = one["question"]
    return Choice(key, one["question"], tuple(options), bool(one.get("multiSelect")))


def _named(name: str, text: str) -> list[str]:
    first, *rest = text.rstrip("\n").split("\n")
    head = f"  {name}: " if name else "  "
    return [head + first, *(" " * len(head) + line for line in rest)]
