"""How a run of an agent of the Agent Client Protocol goes, from the handshake to the outcome.

Theory of operation. First the handshake; when it is done the prompt is queued; what the agent says
until it answers the prompt becomes entries; the answer ends the turn.

A denial has no room for a reason in this protocol. Some agents end their turn at a denial, others
go on and would drop what they do at another prompt. So the reason is told when the turn is over,
as the next prompt of the same run: then nothing can be disturbed, and the agent does not stop at a
"no" that was meant as "like this". Only agents that are known to take it so are told, and no run
that is interrupted or fails; the conversation shows the reason in any case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anyond.agents.acp.entries import AcpEntries
from anyond.agents.acp.errors import (
    FAILED,
    UNANSWERED,
    is_login,
    login_text,
    stop_text,
    wants_login,
)
from anyond.agents.acp.handshake import Handshake
from anyond.agents.acp.notices import Notices
from anyond.agents.acp.options import AcpOptions
from anyond.agents.acp.outbox import Outbox
from anyond.agents.acp.permissions import Permissions
from anyond.agents.acp.questions import PERMISSION
from anyond.agents.acp.updates import Updates
from anyond.agents.carried import Carried
from anyond.agents.core import (
    AgentCommand,
    AgentEvent,
    Decide,
    Interrupt,
    Outcome,
    Prompt,
    Turn,
    TurnEnded,
    Verdict,
)
from anyond.agents.disguised_errors import refuses_key
from anyond.agents.jsonrpc import (
    METHOD_NOT_FOUND,
    Fault,
    Link,
    Notification,
    Request,
    Response,
    as_dict,
    as_list,
    as_text,
    decode,
)
from anyond.agents.recap import RETOLD, recap
from anyond.agents.rpc_dialogue import RpcDialogue
from anyond.agents.rpc_errors import rpc_error_text


class AcpDialogue(RpcDialogue):
    """One run of one agent.

    Args:
        options: those of `turn`, decoded.
        login: how a person logs in, where that is known; "" if not.
    """

    def __init__(self, turn: Turn, options: AcpOptions, login: str = "") -> None:
        self._turn = turn
        self._retold = recap(turn)
        self._options = options
        self._login = login
        self._link = Link()
        self._entries = AcpEntries(turn.cwd, turn.carried)
        # Some agents never tell which model they use.
        self._entries.usage.model = options.model if options.model != "default" else None
        super().__init__(self._link, self._entries)
        self._handshake = Handshake(turn, options, self._link, self._entries)
        self._voice = Notices(self._entries)
        self._updates = Updates(self._entries, self._voice)
        self._permissions = Permissions(options, self._link, self._entries, self._updates.drafts)
        self._denials = self._permissions.denials
        self._outbox = Outbox(self._link, self._handshake)
        self._waiting = False
        self._for_the_program = False
        self._prompts = 0
        self._cancelling = False
        self._over = False

    # ------------------------------------------------------------ in and out

    def send(self, command: AgentCommand) -> None:
        """Queue what a command asks for; its effect comes with its echo."""
        match command:
            case Prompt(text):
                self._outbox.add(text)
            case Decide(call, verdict, reason):
                self._permissions.decide(call, verdict is Verdict.APPROVED, reason)
            case Interrupt():
                self._outbox.cancel()

    @property
    def left(self) -> Carried:
        """What this run leaves for later ones of its attempt."""
        return self._entries.left

    @property
    def opening(self) -> int | None:
        """How many answers have come while the handshake lasts; None when it is over."""
        over = self._outbox.opened or self._over
        return None if over else self._handshake.answers + self._handshake.repeated

    @property
    def handshake_timeout_s(self) -> float:
        """Seconds in which each answer of the handshake must come."""
        return self._options.handshake_deadline_s

    def finish(self) -> Sequence[AgentEvent]:
        """All output has been read: nothing is at work or asked any more."""
        if not self._over:
            self._entries.show_chatter()
        return super().finish()

    # ------------------------------------------------------------ what the agent was told

    def _told(self, line: bytes) -> bool:
        message = decode(line)
        if message is None:
            return False
        closed = self._link.told(message)
        if isinstance(message, Request):
            if message.method == "session/prompt":
                self._prompt_told(message.params)
            else:
                self._handshake.told(message.method)
        elif isinstance(message, Notification):
            if message.method == "session/cancel":
                self._cancel_told()
        elif closed is not None:
            self._permissions.answered(closed.id, as_dict(message.result), self._cancelling)
        return True

    def _cancel_told(self) -> None:
        self._outbox.cancel_told()
        self._cancelling = self._entries.interrupted = True
        self._permissions.cancel()
        if self._waiting:
            # The prompt is answered already: nobody would tell that all is stopped.
            self._settle()
            self._end(Outcome.INTERRUPTED)

    def _prompt_told(self, params: Mapping[str, Any]) -> None:
        texts = [as_text(as_dict(block).get("text")) for block in as_list(params.get("prompt"))]
        if not self._prompts:
            self._entries.turn_began()
            self._cancelling = False
        self._prompts += 1
        self._for_the_program = "".join(texts).lstrip().startswith(("/", "$"))
        self._outbox.prompt_told()
        if not (len(texts) == 1 and self._denials.told(texts[0])):
            self._entries.user("\n\n".join(text for text in texts if text != self._retold))

    # ------------------------------------------------------------ what the agent said

    def _heard(self, line: bytes) -> bool:
        message = decode(line)
        # Almost all lines are updates, and classes are told apart faster so than by patterns.
        if isinstance(message, Notification):
            if message.method == "session/update":
                self._updated(as_dict(message.params.get("update")))
            return True
        if message is None:
            return False
        method = self._link.heard(message)
        if isinstance(message, Request):
            self._updates.no_history()
            self._requested(message)
            return True
        if method is not None:
            self._answered(method, message)
        return method is not None

    def _updated(self, update: Mapping[str, Any]) -> None:
        if self._handshake.replaying:
            self._handshake.repeated += 1
            return
        self._updates.heard(update)
        if self._waiting and not self._updates.background:
            self._stop_waiting()

    def _requested(self, request: Request) -> None:
        if request.method == PERMISSION:
            self._permissions.requested(request, self._cancelling)
        else:
            refusal = f"Anyon does not offer {request.method}"
            self._link.refuse(request.id, METHOD_NOT_FOUND, refusal)

    def _answered(self, method: str, response: Response) -> None:
        handshake = self._handshake
        if method == "session/prompt":
            self._updates.no_history()
            self._prompt_answered(response)
        elif (fault := handshake.answered(method, response)) is not None:
            self._fail(fault)
            return
        # Known since the first answer; some speak before the last.
        self._entries.quirks = handshake.quirks
        if method == "session/load" and handshake.loaded and handshake.quirks.late_history:
            self._updates.history_follows()
        if handshake.done and not self._outbox.opened:
            self._begin()

    # ------------------------------------------------------------ the turn

    def _begin(self) -> None:
        text = self._turn.prompt + (self._options.append_prompt or "")
        anew = self._turn.session_id is None and bool(self._turn.past)
        unknown = self._handshake.forgotten or anew
        if anew:
            self._entries.system(RETOLD)
        note = [self._retold] if unknown else []
        self._outbox.open([*note, text])

    def _prompt_answered(self, response: Response) -> None:
        self._prompts -= 1
        result = as_dict(response.result)
        if self._entries.usage.turn(result, self._handshake.quirks.cumulative_usage):
            self._entries.show_usage()
        if self._prompts:
            # The other prompts of this turn are still at work.
            if response.fault is not None:
                self._entries.error(rpc_error_text(response.fault))
            return
        reason = as_text(result.get("stopReason"))
        if self._updates.background and reason == "end_turn" and not self._cancelling:
            self._waiting = True
            return
        self._settle()
        if response.fault is not None:
            if self._cancelling:
                self._end(Outcome.INTERRUPTED)
            else:
                self._fail(response.fault)
            return
        # Some agents take a denial for an order to stop: that is no interrupt.
        stopped = reason == "cancelled" and (self._cancelling or not self._denials.any)
        dressed = None if reason == "cancelled" else self._voice.disguised_error()
        failure, self._updates.failure = self._updates.failure, None
        if stopped:
            self._end(Outcome.INTERRUPTED)
        elif reason == "cancelled":
            self._go_on()
        elif reason != "end_turn":
            text = stop_text(reason)
            self._entries.error(text)
            self._end(Outcome.FAILED, text)
        elif failure is not None:
            self._fail_with(failure.strip() or FAILED)
        elif dressed is not None:
            self._fail_with(dressed, instead=True)
        elif self._unanswered(result):
            self._entries.error(UNANSWERED)
            self._end(Outcome.FAILED, UNANSWERED)
        else:
            self._go_on()

    def _stop_waiting(self) -> None:
        """All that worked in the background is done, and only that was waited for."""
        self._waiting = False
        self._settle()
        self._go_on()

    def _unanswered(self, result: Mapping[str, Any]) -> bool:
        """Whether the turn has ended well only because nobody tells that it has not."""
        if not self._handshake.quirks.counts_answers or self._for_the_program:
            return False
        return self._entries.usage.unanswered(result)

    def _go_on(self) -> None:
        """The turn is over, and went well; perhaps there is something more to tell the agent."""
        told = self._denials.take()
        if told and self._handshake.quirks.teachable and not self._cancelling:
            self._outbox.prompt([told])
        else:
            self._end(Outcome.COMPLETED)

    def _fail(self, fault: Fault) -> None:
        self._settle()
        text = rpc_error_text(fault)
        instead = self._voice.has_said(text)
        if wants_login(fault):
            # Nothing but the reason can have been said without a login.
            text = self._voice.only_words()
            self._fail_with(text, instead=bool(text), login=True)
        else:
            self._fail_with(text, instead=instead, login=is_login(fault))

    def _fail_with(self, text: str, *, instead: bool = False, login: bool = False) -> None:
        """End the turn, which failed.

        Args:
            text: why; "" if that is for want of a login, and nothing more is known.
            instead: the agent has said it already, as if it were the model's last text.
            login: a login, or another key, would cure it.
        """
        login = login or refuses_key(text)
        if login:
            advice = login_text(self._handshake.name, self._handshake.logins, self._login)
            text = f"{text} — {advice}" if text else advice
        self._entries.error(text, setup=login, instead=instead)
        self._end(Outcome.FAILED, text)

    def _settle(self) -> None:
        self._entries.settle()
        self._permissions.withdraw()

    def _end(self, outcome: Outcome, error: str | None = None) -> None:
        self._over = True
        if outcome is Outcome.FAILED:
            self._entries.show_chatter()
        self._outbox.turn_ended()
        self._waiting = False
        self._cancelling = False
        self._denials.clear()
        self._entries.say(TurnEnded(outcome, error))
