"""The timeout of the handshake with an agent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from anyond.logs.conversation import Conversation


async def watch(
    conversation: Conversation, timeout_s: float, report: Callable[[int], Awaitable[None]]
) -> None:
    """Wait until the handshake is over, or an answer to it has not come in time.

    Args:
        timeout_s: seconds in which each answer must come; those in which no daemon looked do not
            count.
        report: puts on record that the agent is given up, after so many seconds.
    """
    answers = conversation.opening
    while answers is not None and conversation.outcome is None:
        await trio.sleep(timeout_s)
        last, answers = answers, conversation.opening
        if answers == last and conversation.outcome is None:
            await report(max(1, round(timeout_s)))
            return
