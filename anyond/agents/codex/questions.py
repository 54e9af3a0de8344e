"""Approval requests of Codex, and the wording of the decision for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from anyond.agents.codex.entries import CodexEntries
from anyond.agents.codex.tool_calls import Call, bare_command
from anyond.agents.common.core import Decide, Decision
from anyond.agents.json_rpc.jsonrpc import Id, Request, as_dict, as_list, as_text
from anyond.model.entries import Denied, StatusTimedOut, Succeeded, ToolStatus

COMMAND = "item/commandExecution/requestApproval"
EDIT = "item/fileChange/requestApproval"
PERMISSIONS = "item/permissions/requestApproval"
ELICITATION = "mcpServer/elicitation/request"
INPUT = "item/tool/requestUserInput"
METHODS = frozenset({COMMAND, EDIT, PERMISSIONS, ELICITATION, INPUT})

TIMED_OUT = "Nobody answered the request for permission in time."
_UNANSWERED = "The user did not answer this."


class Question(Struct):
    """Something that Codex waits for.

    Args:
        call: its name, unique within the run.
        request: as it came.
        entries: those that it is about; the first one shows it.
        tool_input: what a person has to know to decide.
        silent: no person is asked.
        reason: why it was denied, as far as the agent has been told.
    """

    call: str
    request: Request
    entries: list[Call]
    tool_input: Any
    silent: bool
    reason: str | None = None

    @property
    def request_id(self) -> Id:
        return self.request.id

    @property
    def thread(self) -> str:
        """Of the agent that asks."""
        return as_text(self.request.params.get("threadId"))

    @property
    def explains(self) -> bool:
        """True if the answer itself has room for a reason."""
        return self.request.method == INPUT

    def answer(self, decision: Decide) -> dict[str, Any]:
        """The result to send."""
        allowed = decision.decision is Decision.APPROVED
        params = self.request.params
        match self.request.method:
            case "item/permissions/requestApproval":
                permissions = as_dict(params.get("permissions")) if allowed else {}
                granted = {name: value for name, value in permissions.items() if value is not None}
                return {"permissions": granted, "scope": "turn"}
            case "mcpServer/elicitation/request":
                if allowed:
                    return {"action": "accept", "content": dict(decision.answers or {})}
                late = decision.decision is Decision.TIMED_OUT
                return {"action": "cancel" if late else "decline", "content": None}
            case "item/tool/requestUserInput":
                return {"answers": self._answers(decision)}
        return {"decision": "accept" if allowed else "decline"}

    def _answers(self, decision: Decide) -> dict[str, Any]:
        given = decision.answers or {}
        worded = {}
        for one in map(as_dict, as_list(self.request.params.get("questions"))):
            id = as_text(one.get("id"))
            answer = given.get(as_text(one.get("question")), given.get(id))
            texts = [str(text) for text in as_list(answer)] or ([str(answer)] if answer else [])
            if decision.decision is not Decision.APPROVED:
                texts = [f"{_UNANSWERED} {decision.reason or ''}".strip()]
            worded[id] = {"answers": texts}
        return worded

    def answered(self, result: Mapping[str, Any]) -> None:
        """The log shows the answer: what it means for the entries."""
        if self.request.method == INPUT:
            answers = as_dict(result.get("answers"))
            flat = {id: as_list(as_dict(answers[id]).get("answers")) for id in answers}
            for entry in self.entries:
                entry.fields["answers"] = flat
                denied = any(_UNANSWERED in str(text) for texts in flat.values() for text in texts)
                entry.end(Denied() if denied else Succeeded())
        elif (final := self._final_status(result)) is not None:
            for entry in self.entries:
                entry.judge(final)
        elif self.entries[0].kind == "question":
            self.entries[0].end(Succeeded())

    def _final_status(self, result: Mapping[str, Any]) -> ToolStatus | None:
        """Return the status of a denial; None if it was allowed."""
        if result.get("action") == "cancel" or self.reason == TIMED_OUT:
            return StatusTimedOut()
        declined = "decline" in (result.get("decision"), result.get("action"))
        if declined or (self.request.method == PERMISSIONS and not result.get("permissions")):
            return Denied(reason=self.reason)
        return None


class Questions:
    """The open ones, by the id of their request.

    Args:
        asks: whether a person decides about tools. What is no permission is always theirs.
    """

    def __init__(self, entries: CodexEntries, asks: bool) -> None:
        self._entries = entries
        self._asks = asks
        self._open: dict[Id, Question] = {}
        self._names: dict[str, Id] = {}
        self._times: dict[Id, int] = {}

    def ask(self, request: Request) -> Question:
        """The agent asks; its entry is put."""
        id = request.id
        # Nothing forbids an agent to use the id of an answered request again.
        self._times[id] = times = self._times.get(id, 0) + 1
        call = f"{id!r}" if times == 1 else f"{id!r}#{times}"
        entries, permission = self._subject(request, call)
        for entry in entries:
            self._entries.put(entry)
        question = Question(
            call, request, entries, _input(request, entries), permission and not self._asks
        )
        self.close(id)
        self._open[id] = question
        self._names[call] = id
        return question

    def _subject(self, request: Request, call: str) -> tuple[list[Call], bool]:
        """The entries that a request is about, and whether it is for a permission."""
        params = request.params
        thread, id = as_text(params.get("threadId")), as_text(params.get("itemId"))
        known = self._entries.calls(thread, id)
        if request.method == COMMAND:
            fields = {"type": "commandExecution", "id": id, "command": params.get("command")}
            return known or self._entries.item(thread, fields, False), True
        if request.method == EDIT:
            return known or self._entries.item(
                thread, {"type": "fileChange", "id": id}, False
            ), True
        name, permission = "request_user_input", False
        if request.method == ELICITATION:
            meta, server = as_dict(params.get("_meta")), as_text(params.get("serverName"))
            if meta.get("codex_approval_kind") == "mcp_tool_call":
                tool = as_text(meta.get("tool_name"))
                running = self._entries.open_call(
                    thread, type="mcpToolCall", server=server, tool=tool
                )
                if running is not None:
                    return [running], True
                permission = True
            name = f"mcp:{server}"
        elif request.method == PERMISSIONS:
            name, permission = "request_permissions", True
        fields = {
            "type": "question",
            "id": id or call,
            "name": name,
            "message": params.get("message") or params.get("reason"),
            "questions": params.get("questions"),
            "arguments": _displayed(params),
        }
        return self._entries.item(thread, fields, False), permission

    @property
    def open(self) -> list[Question]:
        """Those whose answer is not in the log."""
        return list(self._open.values())

    def named(self, call: str) -> Question | None:
        """The open one of that name."""
        return None if (id := self._names.get(call)) is None else self._open[id]

    def close(self, id: Id) -> Question | None:
        """Forget one; returns it if it was open."""
        question = self._open.pop(id, None)
        if question is not None:
            del self._names[question.call]
        return question


_HIDDEN = frozenset({"threadId", "turnId", "itemId", "startedAtMs", "environmentId", "_meta"})


def _displayed(params: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in params.items() if k not in _HIDDEN and v is not None}


def _input(request: Request, entries: list[Call]) -> Any:
    displayed = _displayed(request.params)
    if request.method == COMMAND:
        command = bare_command(as_text(request.params.get("command")))
        known = {name: displayed[name] for name in ("cwd", "reason") if name in displayed}
        return {"command": command, **known}
    if request.method == EDIT:
        return {
            **displayed,
            "changes": as_list(entries[0].fields.get("changes")) if entries else [],
        }
    if entries and entries[0].kind == "mcpToolCall":
        return entries[0].fields.get("arguments")
    return displayed
