"""Exit codes of the command, which scripts can rely upon."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The number with which the command ends, and what it means (`text`)."""

    text: str

    def __new__(cls, number: int, text: str) -> ExitCode:
        made = int.__new__(cls, number)
        made._value_ = number
        made.text = text
        return made

    DONE = (0, "all well")
    FAILED = (1, "it failed")
    USAGE = (2, "wrong usage")
    ALREADY_RUNNING = (3, "a daemon is already running")
    LOGIN = (4, "a token or a login is missing")
    AGENT_FAILED = (5, "the agent ended without success")
    NEEDS_PERSON = (6, "it waits for a person")
    NO_DAEMON = (7, "no daemon answers")
    REFUSED = (8, "the present state does not allow it")
    TIME_IS_UP = (124, "the time is up")
    INTERRUPTED = (130, "interrupted")


def in_one_line() -> str:
    """All codes with their meanings, for help texts."""
    return ", ".join(f"{code.value} {code.text}" for code in ExitCode)
