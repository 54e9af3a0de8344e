"""The dialogue with Codex, from the handshake to the outcome.

Theory of operation. First the handshake; when it is done the prompt is queued. A message that
begins a turn joins the one at work if there is one: so messages need not know whether a turn runs,
and none is lost between two turns. The main agent rests when its turn is over; the run ends when
it rests, every message has had its answer, and no sub-agent is at work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from anyond.agents.codex.entries import CodexEntries
from anyond.agents.codex.errors import with_advice
from anyond.agents.codex.handshake import STEPS, Handshake
from anyond.agents.codex.notifications import Notifications
from anyond.agents.codex.options import Options
from anyond.agents.codex.plan import INJECT, START, Plan, message, texts_of
from anyond.agents.codex.questions import METHODS, TIMED_OUT, Question, Questions
from anyond.agents.codex.threads import Threads
from anyond.agents.codex.turn_errors import TurnErrors
from anyond.agents.common.carried import Carried
from anyond.agents.common.core import (
    AgentCommand,
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    Decide,
    Decision,
    Interrupt,
    Outcome,
    Prompt,
    Turn,
    TurnEnded,
)
from anyond.agents.common.disguised_errors import refuses_key
from anyond.agents.common.recap import recap, remark
from anyond.agents.json_rpc.jsonrpc import (
    METHOD_NOT_FOUND,
    Id,
    Link,
    Notification,
    Request,
    Response,
    as_dict,
    as_text,
    decode,
)
from anyond.agents.json_rpc.rpc_dialogue import RpcDialogue
from anyond.agents.json_rpc.rpc_errors import rpc_error_text
from anyond.model.entries import Succeeded

INTERRUPT = "turn/interrupt"
_DENIAL = "anyon-denial:"
_DENIED = "I did not allow that: "


class _Rest(Struct, frozen=True):
    """The main agent has said its last word, as far as is known."""

    turn: str
    outcome: Outcome
    error: str | None = None


class CodexDialogue(RpcDialogue):
    """One run of Codex.

    Args:
        options: those of `turn`, decoded.
    """

    def __init__(self, turn: Turn, options: Options) -> None:
        self._turn = turn
        self._options = options
        self._recap = recap(turn)
        self._link = Link()
        self._threads = Threads()
        self._entries = CodexEntries(turn.cwd, self._threads, turn.carried)
        super().__init__(self._link, self._entries)
        self._news = Notifications(self._entries, self._threads)
        self._handshake = Handshake(turn, options, self._link, self._entries, self._threads)
        self._questions = Questions(self._entries, options.asks)
        self._trouble = TurnErrors(self._entries)
        self._plan = Plan(options.plan, self._handshake)
        self._held: list[str] = []
        self._ready = False
        self._marks: dict[Id, str] = {}
        self._decided: set[str] = set()
        self._explained: dict[str, str] = {}
        self._active: str | None = None
        self._latest = ""
        self._rest: _Rest | None = None
        self._interrupt_asked = False
        self._interrupting = False
        self._ended = False
        self._answers = 0

    # ------------------------------------------------------------ in and out

    def send(self, command: AgentCommand) -> None:
        """Queue what a command asks for; its effect comes with its echo."""
        match command:
            case Prompt(text):
                self._held.append(text)
                self._send_held()
            case Decide(call) if call not in self._decided:
                self._decide(command)
            case Interrupt():
                self._interrupt_asked = True
                self._send_interrupt()

    @property
    def opening(self) -> int | None:
        """The number of answers that have come while the handshake lasts; None when it is over."""
        return None if self._ready or self._ended else self._answers

    @property
    def handshake_timeout_s(self) -> float:
        """Seconds in which each answer of the handshake must come."""
        return self._options.handshake_deadline_s

    @property
    def left(self) -> Carried:
        """The facts that this run leaves for later ones of its attempt."""
        return Carried(notices=self._entries.notices.displayed)

    def _settle(self) -> None:
        self._entries.settle()

    def _decide(self, command: Decide) -> None:
        call = command.call
        if call == self._plan.call:
            self._decided.add(call)
            self._ask(*self._plan.decide(command))
            return
        question = self._questions.named(call)
        if question is None or question.silent:
            return
        self._decided.add(call)
        reason = TIMED_OUT if command.decision is Decision.TIMED_OUT else command.reason
        unexplained = command.decision is not Decision.APPROVED and not question.explains
        if reason and unexplained and call not in self._explained:
            # An answer has no room for a reason. It is told before, as a message that waits for
            # the answer: a crash between the two leaves the question open, and it is made up for.
            self._ask(START, message([_DENIED + reason], _DENIAL + call), question.thread)
        self._link.answer(question.request_id, question.answer(command))

    def _ask(
        self, method: str, params: Mapping[str, Any], thread: str = "", automatic: bool = False
    ) -> None:
        where = {"threadId": thread or self._threads.main}
        self._link.request(method, {**where, **params}, automatic)

    # ------------------------------------------------------------ what it was told

    def _sent_line(self, line: bytes) -> bool:
        message = decode(line)
        if message is None:
            return False
        closed = self._link.note_sent(message)
        match message:
            case Request(id, method, params) if method in (START, INJECT):
                self._message_sent(id, method, params)
            case Request(_, method) if method == INTERRUPT:
                self._interrupt_asked = False
                self._interrupting = True
            case Response(_, result) if closed is not None:
                question = self._questions.close(closed.id)
                if question is not None:
                    self._answer_sent(question, as_dict(result))
        return True

    def _message_sent(self, id: Id, method: str, params: Mapping[str, Any]) -> None:
        texts = texts_of(params)
        plan, answered = self._plan.sent(method, params)
        if plan is not None:
            self._entries.put(plan)
        for event in answered:
            self._entries.emit(event)
        mark = as_text(params.get("clientUserMessageId"))
        if method == START:
            self._marks[id] = mark
        if mark.startswith(_DENIAL):
            self._explained[mark.removeprefix(_DENIAL)] = "".join(texts).removeprefix(_DENIED)
        elif method == START and not mark:
            self._interrupting = self._interrupting and self._active is not None
            self._ended = False
            self._news.prompted = True
            self._entries.user("\n\n".join(text for text in texts if text != self._recap))

    def _answer_sent(self, question: Question, result: Mapping[str, Any]) -> None:
        question.reason = self._explained.get(question.call)
        question.answered(result)
        for entry in question.entries:
            self._entries.put(entry)
        if not question.silent:
            self._entries.emit(ApprovalAnswered(question.call))

    # ------------------------------------------------------------ what it said

    def _received_line(self, line: bytes) -> bool:
        message = decode(line)
        match message:
            case Notification():
                self._notified(message)
            case Request():
                self._link.note_received(message)
                self._requested(message)
            case Response():
                asked = self._link.note_received(message)
                if asked is None:
                    return False
                self._answered(asked, message)
            case None:
                return False
        return True

    def _notified(self, news: Notification) -> None:
        params = news.params
        main = self._threads.is_main(as_text(params.get("threadId")))
        match news.method:
            case "turn/started":
                self._turn_started(main, params)
            case "turn/completed":
                self._turn_completed(main, params)
            case "thread/closed" if not main:
                self._news.rested(as_text(params.get("threadId")), worked=False)
                self._end_if_at_rest()
            case "serverRequest/resolved":
                self._resolved(params.get("requestId"))
            case "error":
                self._trouble.reported(main, params)
            case "item/started" | "item/completed":
                if main:
                    self._trouble.overcome()
                self._news.take(news)
                self._end_if_at_rest()
            case _:
                self._news.take(news)

    def _requested(self, request: Request) -> None:
        if request.method not in METHODS:
            text = f"Anyon does not offer {request.method}"
            self._link.refuse(request.id, METHOD_NOT_FOUND, text)
            return
        self._resolved(request.id)
        question = self._questions.ask(request)
        if question.silent:
            allowed = Decide(question.call, Decision.APPROVED)
            self._link.answer(question.request_id, question.answer(allowed))
            return
        tool = question.entries[0]
        self._entries.emit(ApprovalAsked(question.call, tool.name, question.tool_input, tool.key))

    def _resolved(self, id: object) -> None:
        """The agent does not wait for the answer to this request any more."""
        question = self._questions.close(id) if isinstance(id, int | str) else None
        if question is not None and not question.silent:
            self._entries.emit(ApprovalWithdrawn(question.call))

    def _answered(self, method: str, response: Response) -> None:
        if method in STEPS:
            self._answers += 1
            fault = self._handshake.answered(method, response)
            if fault is not None:
                self._fail(rpc_error_text(fault))
            elif self._handshake.done and not self._ready:
                self._begin()
        elif method == START:
            self._start_answered(response)
        elif method == INJECT and not self._ended:
            self._rest = _Rest("", Outcome.COMPLETED)
            self._end_if_at_rest()
        elif method == INTERRUPT and self._active is None and not self._ended:
            # There was only a plan to decide about, or a sub-agent to wait for.
            self._end(Outcome.INTERRUPTED)

    # ------------------------------------------------------------ the turn

    def _begin(self) -> None:
        self._ready = True
        text = self._turn.prompt + (self._options.append_prompt or "")
        anew = self._turn.session_id is None and bool(self._turn.past)
        unknown = self._handshake.forgotten or anew
        if anew:
            self._entries.once(remark(self._recap))
        params = message([self._recap, text] if unknown else [text])
        self._ask(START, params | self._plan.mode(), automatic=True)
        self._send_held()

    def _send_held(self) -> None:
        if self._ready:
            for text in self._held:
                self._ask(START, message([text]))
            self._held.clear()

    def _send_interrupt(self) -> None:
        # Before the turn has an id it cannot be named, after its end there is nothing to stop.
        if self._interrupt_asked and self._latest and not self._ended:
            self._interrupt_asked = False
            self._ask(INTERRUPT, {"turnId": self._latest})

    def _start_answered(self, response: Response) -> None:
        mark = self._marks.pop(response.id, "")
        turn = as_text(as_dict(as_dict(response.result).get("turn")).get("id"))
        if mark.startswith(_DENIAL):
            if response.fault is not None:
                why = rpc_error_text(response.fault)
                self._entries.once(f"The agent could not be told why that was denied: {why}")
        elif response.fault is not None:
            text = rpc_error_text(response.fault)
            if self._active is None and self._rest is None:
                self._fail(text)
                return
            self._entries.error(text)  # what goes on does so without it
        elif self._rest is None or turn != self._rest.turn:
            self._turn_is(turn)
        self._end_if_at_rest()

    def _turn_is(self, turn: str) -> None:
        self._rest = None
        self._active = self._latest = turn
        self._send_interrupt()

    def _turn_started(self, main: bool, params: Mapping[str, Any]) -> None:
        if main:
            self._trouble.forget()
            self._turn_is(as_text(as_dict(params.get("turn")).get("id")))
        else:
            self._threads.began(as_text(params.get("threadId")))

    def _turn_completed(self, main: bool, params: Mapping[str, Any]) -> None:
        turn = as_dict(params.get("turn"))
        status, error = as_text(turn.get("status")), as_dict(turn.get("error"))
        if main:
            self._active = None
            self._rest = _Rest(as_text(turn.get("id")), *self._turn_outcome(status, error))
        else:
            worked = status == "completed" and not error
            self._news.rested(as_text(params.get("threadId")), worked)
        self._end_if_at_rest()

    def _turn_outcome(self, status: str, error: Mapping[str, Any]) -> tuple[Outcome, str | None]:
        if self._interrupting or status == "interrupted":
            return Outcome.INTERRUPTED, None
        return self._trouble.turn_outcome(status, error)

    def _end_if_at_rest(self) -> None:
        rest = self._rest
        if rest is None or self._link.waiting(START):
            return
        if rest.outcome is Outcome.COMPLETED:
            plan, self._news.plan = self._news.plan, None
            if plan is not None and plan.open:
                if self._plan.planning:
                    self._rest = None
                    self._entries.emit(self._plan.ask(plan))
                    return
                plan.end(Succeeded())
                self._entries.put(plan)
            if self._threads.working:
                return
        self._end(rest.outcome, rest.error)

    def _fail(self, text: str) -> None:
        login = refuses_key(text)
        text = with_advice(text) if login else text
        self._trouble.complain(text, login)
        self._end(Outcome.FAILED, text)

    def _end(self, outcome: Outcome, error: str | None = None) -> None:
        self._threads.clear()
        for event in self._plan.withdraw():
            self._entries.emit(event)
        for question in self._questions.open:
            self._resolved(question.request_id)
        self._entries.settle()
        self._trouble.forget()
        self._rest = self._active = None
        self._interrupting = self._interrupt_asked = False
        self._ended = True
        self._entries.emit(TurnEnded(outcome, error))
