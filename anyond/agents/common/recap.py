"""The recap of a conversation, for an agent that cannot remember it."""

from __future__ import annotations

from anyond.agents.common.core import Turn

_FORGOTTEN = (
    "(Your former session of this conversation could not be resumed, so you do not remember it. "
    "What was done so far is in the working directory and its git history: look there first.)"
)

_NOT_ASKED = (
    "(What follows was to be the beginning of this conversation. You were not asked for it, since "
    "what has to be done first did not succeed or was stopped. What you are told after it counts "
    "for more where the two differ.)"
)

RECAP_REMARK = (
    "The agent does not remember this conversation: this is a new session of it. "
    "It was told in short what had been said before."
)
"""What a person is told about it."""

TASK_REMARK = (
    "The agent had not been asked for its task yet, since the setup script did not succeed or was "
    "stopped. It was told the task before this message."
)
"""What a person is told of a past that is an `unasked` task."""


def unasked(prompt: str) -> str:
    """The `past` of a turn before which the agent should have been asked `prompt`, and was not."""
    return f"{_NOT_ASKED}\n\n{prompt}"


def remark(recap: str) -> str:
    """Return the remark for a person about the `recap` that an agent was sent."""
    return TASK_REMARK if recap.startswith(_NOT_ASKED) else RECAP_REMARK


def recap(turn: Turn) -> str:
    """The text to put before the prompt when the former session is not resumed.

    It is the same for the same turn, so that a replay recognises it in what the agent was told.
    """
    if not turn.past:
        return _FORGOTTEN
    if turn.past.startswith(_NOT_ASKED):
        return turn.past
    return f"{_FORGOTTEN}\n\n{turn.past}"
