"""Turns of a run of the Agent Client Protocol: their course and their end.

A denial has no room for a reason in this protocol. Some agents end their turn at a denial, others
go on and would drop what they do at another prompt. So the reason is told when the turn is over,
as the next prompt of the same run: then nothing can be disturbed, and the agent does not stop at a
"no" that was meant as "like this". Only agents that are known to take it so are told, and no run
that is interrupted or fails; the conversation shows the reason in any case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from anyond.agents.acp.conversation.entries import AcpEntries
from anyond.agents.acp.conversation.notices import Notices
from anyond.agents.acp.conversation.updates import Updates
from anyond.agents.acp.errors import (
    UNANSWERED,
    demands_login,
    is_login,
    login_text,
    stop_text,
)
from anyond.agents.acp.handshake import Handshake
from anyond.agents.acp.outbox import Outbox
from anyond.agents.acp.permission.permissions import Permissions
from anyond.agents.common.core import Outcome, TurnEnded
from anyond.agents.common.disguised_errors import refuses_key
from anyond.agents.json_rpc.jsonrpc import Fault, Response, as_dict, as_list, as_text
from anyond.agents.json_rpc.rpc_errors import rpc_error_text


class Turns:
    """Those of one run; there is another only after what was said when one had ended.

    Args:
        recap_text: what the agent is told of earlier conversations, which nobody has said now.
        login: how a person logs in, where that is known; "" if not.

    Attributes:
        cancelling: the agent has been told to stop, and has not yet.
        over: the last one has ended.
    """

    def __init__(
        self,
        handshake: Handshake,
        entries: AcpEntries,
        *,
        voice: Notices,
        updates: Updates,
        permissions: Permissions,
        outbox: Outbox,
        recap_text: str | None,
        login: str,
    ) -> None:
        self._handshake = handshake
        self._entries = entries
        self._voice = voice
        self._updates = updates
        self._permissions = permissions
        self._denials = permissions.denials
        self._outbox = outbox
        self._recap = recap_text
        self._login = login
        self._waiting = False
        self._for_the_program = False
        self._prompts = 0
        self._asked: list[str] = []
        self._repeats: list[str] | None = None
        self.cancelling = False
        self.over = False

    # ------------------------------------------------------------ what the agent was told

    def cancel_sent(self) -> None:
        """The order to stop has been sent."""
        self._outbox.cancel_sent()
        self.cancelling = self._entries.interrupted = True
        self._permissions.cancel()
        if self._waiting:
            # The prompt is answered already: nobody would tell that all is stopped.
            self.settle()
            self._end(Outcome.INTERRUPTED)

    def prompt_sent(self, params: Mapping[str, Any]) -> None:
        """A prompt has been sent."""
        texts = [as_text(as_dict(block).get("text")) for block in as_list(params.get("prompt"))]
        if not self._prompts:
            self._entries.turn_began()
            self.cancelling = False
        self._prompts += 1
        self._for_the_program = "".join(texts).lstrip().startswith(("/", "$"))
        self._outbox.prompt_sent()
        self._asked = texts
        if texts == self._repeats:
            self._repeats = None
        elif not (len(texts) == 1 and self._denials.was_sent(texts[0])):
            self._entries.user("\n\n".join(text for text in texts if text != self._recap))

    # ------------------------------------------------------------ what the agent said

    def prompt_answered(self, response: Response) -> None:
        """Take in the agent's answer to a prompt, which ends it."""
        self._prompts -= 1
        if not self._prompts and self._logs_in(response.fault):
            return
        result = as_dict(response.result)
        if self._entries.usage.turn(result, self._handshake.quirks):
            self._entries.show_usage()
        if self._prompts:
            # The other prompts of this turn are still at work.
            if response.fault is not None:
                self._entries.error(rpc_error_text(response.fault))
            return
        reason = as_text(result.get("stopReason"))
        if self._updates.background and reason == "end_turn" and not self.cancelling:
            self._waiting = True
            return
        self.settle()
        if response.fault is not None:
            if self.cancelling:
                self._end(Outcome.INTERRUPTED)
            else:
                self.fail(response.fault)
            return
        # Some agents take a denial for an order to stop: that is no interrupt.
        failed = self._updates.failed()
        by_itself = failed is not None or self._denials.any
        stopped = reason == "cancelled" and (self.cancelling or not by_itself)
        dressed = None if reason == "cancelled" else self._voice.disguised_error()
        if stopped:
            self._end(Outcome.INTERRUPTED)
        elif failed is not None:
            self._fail_with(failed[0], login=failed[1] or None)
        elif reason == "cancelled":
            self._go_on()
        elif reason != "end_turn":
            text = stop_text(reason)
            self._entries.error(text)
            self._end(Outcome.FAILED, text)
        elif dressed is not None:
            self._fail_with(dressed, instead=True)
        elif self._unanswered(result):
            self._entries.error(UNANSWERED)
            self._end(Outcome.FAILED, UNANSWERED)
        else:
            self._go_on()

    def _logs_in(self, fault: Fault | None) -> bool:
        """Return whether the agent, which has done nothing yet, is asked to log in and then once
        more.
        """
        done = self._entries.texts_seen or self._entries.tools_seen or self.cancelling
        return not done and self._handshake.logs_in(fault, "session/prompt")

    def logged_in(self) -> None:
        """The agent has logged in: say the prompt again that it has refused."""
        self._handshake.logged_in = False
        if self.cancelling:
            self.settle()
            self._end(Outcome.INTERRUPTED)
        else:
            self._repeats = self._asked
            self._outbox.prompt(self._repeats)

    def exited(self, words: Iterable[str]) -> None:
        """The program has gone before it had a session; perhaps for want of a login.

        Args:
            words: what it has written besides.
        """
        if self.over or self._outbox.opened or self.cancelling:
            return
        needs = next((line for line in words if refuses_key(line)), None)
        if needs is not None:
            self._fail_with(needs.strip(), login=True)

    def updated(self) -> None:
        """Something was heard: perhaps all that worked in the background is done now."""
        if not self._waiting or self._updates.background:
            return
        self._waiting = False
        self.settle()
        self._go_on()

    def _unanswered(self, result: Mapping[str, Any]) -> bool:
        """Return whether the turn has ended well only because nobody tells that it has not."""
        if not self._handshake.quirks.counts_answers or self._for_the_program:
            return False
        return self._entries.usage.unanswered(result)

    def _go_on(self) -> None:
        """The turn is over, and went well; perhaps there is something more to tell the agent."""
        reasons = self._denials.take()
        if reasons and self._handshake.quirks.teachable and not self.cancelling:
            self._outbox.prompt([reasons])
        else:
            self._end(Outcome.COMPLETED)

    def fail(self, fault: Fault) -> None:
        """The turn has failed, or cannot begin, for an error that the agent has answered."""
        self.settle()
        text = rpc_error_text(fault)
        instead = self._voice.has_reported(text)
        if demands_login(fault):
            # Nothing but the reason can have been said without a login.
            text = self._voice.only_words()
            self._fail_with(text, instead=bool(text), login=True)
        else:
            self._fail_with(text, instead=instead, login=is_login(fault))

    def _fail_with(self, text: str, *, instead: bool = False, login: bool | None = None) -> None:
        """End the turn, which failed.

        Args:
            text: why; "" if that is for want of a login, and nothing more is known.
            instead: the agent has said it already, as if it were the model's last text.
            login: whether a login, or another key, would cure it; None if only `text` tells.
        """
        if login is None:
            login = refuses_key(text)
        if login:
            advice = login_text(self._handshake.name, self._handshake.logins, self._login)
            text = f"{text} — {advice}" if text else advice
        self._entries.error(text, setup=login, instead=instead)
        self._end(Outcome.FAILED, text)

    def settle(self) -> None:
        """Nothing is at work or asked any more."""
        self._entries.settle()
        self._permissions.withdraw()

    def _end(self, outcome: Outcome, error: str | None = None) -> None:
        self.over = True
        if outcome is Outcome.FAILED:
            self._entries.show_chatter()
        self._outbox.turn_ended()
        self._waiting = False
        self.cancelling = False
        self._denials.clear()
        self._entries.emit(TurnEnded(outcome, error))
