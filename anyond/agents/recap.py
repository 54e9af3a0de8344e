"""What an agent is told of a conversation that it cannot remember by itself."""

from __future__ import annotations

from anyond.agents.core import Turn

_FORGOTTEN = (
    "(Your former session of this conversation could not be resumed, so you do not remember it. "
    "What was done so far is in the working directory and its git history: look there first.)"
)


RETOLD = (
    "The agent does not remember this conversation: this is a new session of it. "
    "It was told in short what had been said before."
)
"""What a person is told about it."""


def recap(turn: Turn) -> str:
    """The text to put before the prompt when the former session is not resumed.

    It is the same for the same turn, so that a replay recognises it in what the agent was told.
    """
    if not turn.past:
        return _FORGOTTEN
    return f"{_FORGOTTEN}\n\n{turn.past}"
