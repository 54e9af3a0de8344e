"""Requests for permission of the Agent Client Protocol, and the answers to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from anyond.agents.json_rpc.jsonrpc import Id, as_dict, as_text

PERMISSION = "session/request_permission"
CANCELLED: dict[str, Any] = {"outcome": {"outcome": "cancelled"}}

_REASON = "anyon/reason"
_ALLOW = ("allow_once", "allow_always")
_REJECT = ("reject_once", "reject_always")


class Question(Struct, frozen=True):
    """A permission that the agent waits for.

    Args:
        call: its name, unique within the run; None if no person is asked.
        entry_key: of the tool that it is about.
        title: of that tool.
        options: as the agent offered them.
    """

    id: Id
    call: str | None
    entry_key: str
    title: str
    options: list[Any]

    def answer(self, approved: bool, reason: str | None = None) -> dict[str, Any]:
        """The outcome to send: chosen by the kind of the options, for their ids are free.

        Args:
            reason: why not. The protocol has no place for it, but what stands in `_meta` disturbs
                no agent, and a replay of the log finds it again.
        """
        outcome = self._outcome(approved)
        return {**outcome, "_meta": {_REASON: reason}} if reason and not approved else outcome

    def refused_by(self, answer: Mapping[str, Any]) -> bool:
        """Return whether this answer, as it was sent, denies it."""
        outcome = as_dict(answer.get("outcome"))
        chosen = outcome.get("optionId")
        kinds = [
            as_text(option.get("kind"))
            for option in map(as_dict, self.options)
            if option.get("optionId") == chosen
        ]
        return outcome.get("outcome") != "selected" or any(k.startswith("reject") for k in kinds)

    def _outcome(self, approved: bool) -> dict[str, Any]:
        kinds = _ALLOW if approved else _REJECT
        offered = [
            (as_text(option.get("kind")), option["optionId"])
            for option in map(as_dict, self.options)
            if isinstance(option.get("optionId"), str)
        ]
        prefix = "allow" if approved else "reject"
        ranked = [id for asked_kind in kinds for kind, id in offered if kind == asked_kind]
        ranked += [id for kind, id in offered if kind.startswith(prefix)]
        if not ranked:
            return CANCELLED
        return {"outcome": {"outcome": "selected", "optionId": ranked[0]}}


def reason_in(answer: Mapping[str, Any]) -> str:
    """The reason of a denial in an answer that was sent; "" if there is none."""
    return as_text(as_dict(answer.get("_meta")).get(_REASON))


class Questions:
    """The open ones, by the id of their request."""

    def __init__(self) -> None:
        self._open: dict[Id, Question] = {}
        self._names: dict[str, Id] = {}
        self._times: dict[Id, int] = {}

    @property
    def open(self) -> list[Question]:
        """Those whose answer is not in the log."""
        return list(self._open.values())

    def add(self, id: Id, entry_key: str, title: str, options: list[Any], silent: bool) -> Question:
        """A new one; `silent` if no person is asked."""
        call = None
        if not silent:
            # Nothing forbids an agent to use the id of an answered request again.
            self._times[id] = times = self._times.get(id, 0) + 1
            call = f"{id!r}" if times == 1 else f"{id!r}#{times}"
            self._names[call] = id
        question = self._open[id] = Question(id, call, entry_key, title, options)
        return question

    def named(self, call: str) -> Question | None:
        """The open one of that name."""
        return None if (id := self._names.get(call)) is None else self._open[id]

    def close(self, id: Id) -> Question | None:
        """Forget one; returns it if it was open."""
        question = self._open.pop(id, None)
        if question is not None and question.call is not None:
            del self._names[question.call]
        return question

    def clear(self) -> list[Question]:
        """Forget all; returns those that were open."""
        questions = self.open
        self._open.clear()
        self._names.clear()
        return questions
