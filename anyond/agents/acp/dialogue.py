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

from collections.abc import Mapping
from typing import Any

from anyond.agents.acp.background import Background
from anyond.agents.acp.denials import Denials
from anyond.agents.acp.entries import AcpEntries
from anyond.agents.acp.errors import UNANSWERED, is_login, login_text, stop_text
from anyond.agents.acp.handshake import Handshake
from anyond.agents.acp.notices import Notices
from anyond.agents.acp.options import AcpOptions
from anyond.agents.acp.questions import CANCELLED, PERMISSION, Questions, reason_in
from anyond.agents.core import (
    AgentCommand,
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    Decide,
    Interrupt,
    Outcome,
    Prompt,
    Turn,
    TurnEnded,
    Verdict,
)
from anyond.agents.jsonrpc import (
    METHOD_NOT_FOUND,
    Fault,
    Id,
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
    """One run of one agent."""

    def __init__(self, turn: Turn, options: AcpOptions) -> None:
        self._turn = turn
        self._retold = recap(turn)
        self._options = options
        self._link = Link()
        self._entries = AcpEntries(turn.cwd)
        # Some agents never tell which model they use.
        self._entries.usage.model = options.model if options.model != "default" else None
        super().__init__(self._link, self._entries)
        self._handshake = Handshake(turn, options, self._link, self._entries)
        self._questions = Questions()
        self._held: list[str] = []
        self._denials = Denials()
        self._background = Background()
        self._waiting = False
        self._prepared: dict[str, Mapping[str, Any]] = {}
        self._voice = Notices(self._entries)
        self._repeated: list[dict[str, Any]] | None = None
        self._ready = False
        self._for_the_program = False
        self._prompts = 0
        self._cancel_wanted = False
        self._cancelling = False
        self._ended = False

    # ------------------------------------------------------------ in and out

    def send(self, command: AgentCommand) -> None:
        """Queue what a command asks for; its effect comes with its echo."""
        match command:
            case Prompt(text):
                self._held.append(text)
                self._send_held()
            case Decide(call, verdict, reason):
                if (question := self._questions.named(call)) is not None:
                    answer = question.answer(verdict is Verdict.APPROVED, reason)
                    self._link.answer(question.id, answer)
            case Interrupt():
                self._cancel_wanted = True
                self._send_cancel()

    # ------------------------------------------------------------ what the agent was told

    def _told(self, line: bytes) -> bool:
        message = decode(line)
        if message is None:
            return False
        closed = self._link.told(message)
        match message:
            case Request(_, "session/prompt", params):
                self._prompt_told(params)
            case Request(_, method):
                self._handshake.told(method)
            case Notification("session/cancel"):
                self._cancel_wanted = False
                self._cancelling = self._entries.interrupted = True
                # Some agents wait for ever for a question that nobody answers any more.
                for question in self._questions.open:
                    self._link.answer(question.id, CANCELLED)
                if self._waiting:
                    # The prompt is answered already: nobody would tell that all is stopped.
                    self._settle()
                    self._end(Outcome.INTERRUPTED)
            case Response(_, result) if closed is not None:
                self._answer_told(closed.id, as_dict(result))
        return True

    def _prompt_told(self, params: Mapping[str, Any]) -> None:
        texts = [as_text(as_dict(block).get("text")) for block in as_list(params.get("prompt"))]
        if not self._prompts:
            self._entries.turn_began()
            self._cancelling = False
        self._prompts += 1
        self._for_the_program = "".join(texts).lstrip().startswith(("/", "$"))
        self._ended = False
        if not (len(texts) == 1 and self._denials.told(texts[0])):
            self._entries.user("\n\n".join(text for text in texts if text != self._retold))

    def _answer_told(self, id: Id, answer: Mapping[str, Any]) -> None:
        question = self._questions.close(id)
        if question is None or question.call is None:
            return
        refused = question.refused_by(answer)
        if self._cancelling and as_dict(answer.get("outcome")).get("outcome") != "selected":
            self._entries.say(ApprovalWithdrawn(question.call))
            return
        self._entries.say(ApprovalAnswered(question.call))
        if refused:
            self._denials.add(question.title, reason_in(answer))
            self._entries.denied(question.entry_key)

    # ------------------------------------------------------------ what the agent said

    def _heard(self, line: bytes) -> bool:
        message = decode(line)
        match message:
            case Notification("session/update", params):
                update = as_dict(params.get("update"))
                if self._repeated is not None:
                    self._repeat(update)
                elif self._handshake.replaying:
                    self._handshake.repeated += 1
                else:
                    self._updated(update)
            case Request():
                self._link.heard(message)
                self._not_repeated()
                self._requested(message)
            case Response():
                method = self._link.heard(message)
                if method is None:
                    return False
                if method == "session/prompt":
                    self._not_repeated()
                    self._prompt_answered(message)
                elif (fault := self._handshake.answered(method, message)) is not None:
                    self._fail(fault)
                    return True
                # Known since the first answer; some speak before the last.
                self._entries.quirks = self._handshake.quirks
                if method == "session/load" and self._handshake.loaded:
                    self._repeated = [] if self._handshake.quirks.late_history else None
                if self._handshake.done and not self._ready:
                    self._begin()
            case None:
                return False
        return True

    def _repeat(self, update: dict[str, Any]) -> None:
        """Set aside what may be the old conversation, until it is sure that it is."""
        assert self._repeated is not None
        if update.get("sessionUpdate") == "available_commands_update":
            self._repeated = None
        else:
            self._repeated.append(update)

    def _not_repeated(self) -> None:
        """What was set aside must be of this turn: better shown twice than not at all."""
        updates, self._repeated = self._repeated or [], None
        for update in updates:
            self._updated(update)

    def _updated(self, update: Mapping[str, Any]) -> None:
        entries = self._entries
        match update.get("sessionUpdate"):
            case "agent_message_chunk" | "agent_thought_chunk" as kind:
                block = as_dict(update.get("content"))
                if "_meta" in update and self._told_beside(update):
                    entries.close_text()
                elif not self._voice.remarked(as_text(block.get("text"))):
                    entries.chunk(kind == "agent_thought_chunk", block, update)
                self._stop_waiting()
            case "tool_call" | "tool_call_update":
                self._tool_updated(self._whole(update))
            case "plan":
                entries.plan(as_list(update.get("entries")))
            case "usage_update":
                entries.close_text()
                if entries.usage.cost(as_dict(update.get("cost"))):
                    entries.show_usage()
            case "config_option_update":
                entries.usage.learn_model(update, entries.quirks.named_models)
            case "user_message_chunk":
                # What the person said is known from what the agent was told.
                entries.close_text()

    def _told_beside(self, update: Mapping[str, Any]) -> bool:
        """Take in what is told beside a piece of a text; whether the text says only the same."""
        used = as_dict(as_dict(update["_meta"]).get("usage"))
        if used and self._entries.usage.call(used):
            self._entries.show_usage()
        if ended := self._background.ended(update):
            self._entries.tool(ended)
        return self._background.is_notice(update)

    def _tool_updated(self, update: Mapping[str, Any]) -> None:
        meta = as_dict(update.get("_meta"))
        if meta.get("preparationDiscarded"):
            # The answer that would have made this call has broken off.
            self._entries.say_again()
            self._entries.close_text()
        elif meta.get("phase") == "preparing":
            self._prepared[as_text(update.get("toolCallId"))] = update
        elif self._background.started(update):
            _, call = self._entries.tool({**update, "status": "in_progress", "content": []})
            call.apart = True
        else:
            self._entries.tool(update)

    def _whole(self, update: Mapping[str, Any]) -> Mapping[str, Any]:
        """The first that is shown of a call, with what was said while the model still made it."""
        if not self._prepared:
            return update
        return {**self._prepared.pop(as_text(update.get("toolCallId")), {}), **update}

    def _requested(self, request: Request) -> None:
        if request.method != PERMISSION:
            message = f"Anyon does not offer {request.method}"
            self._link.refuse(request.id, METHOD_NOT_FOUND, message)
            return
        fields = self._whole(as_dict(request.params.get("toolCall")))
        key, tool = self._entries.tool(fields, asking=True)
        again = self._questions.close(request.id)
        if again is not None and again.call is not None:
            self._entries.say(ApprovalWithdrawn(again.call))
        # Whoever wants a plan wants to see it, even if everything after it is allowed.
        asks = self._options.asks or (bool(self._options.plan) and tool.is_plan)
        silent = self._cancelling or not asks
        options = as_list(request.params.get("options"))
        question = self._questions.add(request.id, key, tool.title, options, silent)
        if question.call is None:
            answer = CANCELLED if self._cancelling else question.answer(approved=True)
            self._link.answer(request.id, answer)
            return
        asked = fields.get("rawInput") or tool.question
        self._entries.say(ApprovalAsked(question.call, tool.title, asked, key))

    # ------------------------------------------------------------ the turn

    def _begin(self) -> None:
        self._ready = True
        text = self._turn.prompt + (self._options.append_prompt or "")
        anew = self._turn.session_id is None and bool(self._turn.past)
        unknown = self._handshake.forgotten or anew
        if anew:
            self._entries.system(RETOLD)
        note = [self._retold] if unknown else []
        self._send_prompt([*note, text], automatic=True)
        self._send_held()
        self._send_cancel()

    def _send_prompt(self, texts: list[str], automatic: bool) -> None:
        blocks = [{"type": "text", "text": text} for text in texts]
        params = {"sessionId": self._handshake.session, "prompt": blocks}
        self._link.request("session/prompt", params, automatic)

    def _send_held(self) -> None:
        if self._ready:
            for text in self._held:
                self._send_prompt([text], automatic=False)
            self._held.clear()

    def _send_cancel(self) -> None:
        # Before the prompt there is nothing to cancel yet, after the turn nothing any more.
        if self._cancel_wanted and self._ready and not self._ended:
            self._cancel_wanted = False
            self._link.notify("session/cancel", {"sessionId": self._handshake.session})

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
        if self._background and reason == "end_turn" and not self._cancelling:
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
        if stopped:
            self._end(Outcome.INTERRUPTED)
        elif reason == "cancelled":
            self._go_on()
        elif reason != "end_turn":
            text = stop_text(reason)
            self._entries.error(text)
            self._end(Outcome.FAILED, text)
        elif dressed is not None:
            self._entries.error(dressed, instead=True)
            self._end(Outcome.FAILED, dressed)
        elif self._unanswered(result):
            self._entries.error(UNANSWERED)
            self._end(Outcome.FAILED, UNANSWERED)
        else:
            self._go_on()

    def _stop_waiting(self) -> None:
        """Go on if all that works in the background is done, and only that was waited for."""
        if self._waiting and not self._background:
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
            self._send_prompt([told], automatic=True)
        else:
            self._end(Outcome.COMPLETED)

    def _fail(self, fault: Fault) -> None:
        self._settle()
        login = is_login(fault)
        text = rpc_error_text(fault)
        instead = self._voice.has_said(text)
        if login:
            text = login_text(self._handshake.name, self._handshake.logins)
            if said := self._voice.only_words():
                # Nothing but the reason can have been said without a login.
                text, instead = f"{said} — {text}", True
        self._entries.error(text, setup=login, instead=instead)
        self._end(Outcome.FAILED, text)

    def _settle(self) -> None:
        self._entries.settle()
        for question in self._questions.clear():
            if question.call is not None:
                self._entries.say(ApprovalWithdrawn(question.call))

    def _end(self, outcome: Outcome, error: str | None = None) -> None:
        self._ended = True
        self._waiting = False
        self._denials.clear()
        self._cancelling = self._cancel_wanted = False
        self._entries.say(TurnEnded(outcome, error))
