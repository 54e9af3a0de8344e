"""Processes that an agent has left running and that were ended with its run, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from anyond.logs.notes import Remark
from anyond.model.printable import printable

_MOST_NAMED = 10
_LONGEST = 300


def remark(commands: Sequence[str]) -> Remark:
    """Names them; no more than a few.

    Args:
        commands: what they were started with. An agent can have written that itself.
    """
    what = "1 process" if len(commands) == 1 else f"{len(commands)} processes"
    named = [" ".join(printable(command).split())[:_LONGEST] for command in commands[:_MOST_NAMED]]
    more = len(commands) - len(named)
    listed = "".join(f"\n  {command}" for command in named) + (f"\n  … {more} more" if more else "")
    return Remark(
        text=f"The agent has left {what} running, which ended with its run. What should run on "
        f"belongs into the dev server or the setup script of the project.{listed}"
    )
