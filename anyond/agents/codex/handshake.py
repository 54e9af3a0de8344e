"""Opening a thread of Codex: a new one, or one that goes on where another has ended."""

from __future__ import annotations

from typing import Any

from anyond import __version__
from anyond.agents.codex.entries import CodexEntries
from anyond.agents.codex.options import Options
from anyond.agents.codex.threads import Threads
from anyond.agents.common.core import SessionStarted, Turn
from anyond.agents.json_rpc.jsonrpc import Fault, Link, Response, as_dict, as_text
from anyond.agents.json_rpc.rpc_errors import rpc_error_text

STEPS = frozenset({"initialize", "thread/start", "thread/fork"})

# What nobody here reads; the first of them repeats the whole diff of the turn again and again.
_OPTED_OUT = [
    "turn/diff/updated",
    "account/rateLimits/updated",
    "thread/status/changed",
    "thread/readState/changed",
    "thread/settings/updated",
    "remoteControl/status/changed",
    "skills/changed",
    "app/list/updated",
]


class Handshake:
    """The steps before the prompt: each is queued when the answer to the last one is read.

    An earlier conversation is forked, not resumed: so it stays as it was, and a retry can go back
    to it.

    Attributes:
        forgotten: the former session was wanted and could not be had.
        model: the one that the thread uses.
        effort: how hard that is to think, if it was said.
        done: the prompt can be sent.
    """

    def __init__(
        self, turn: Turn, options: Options, link: Link, entries: CodexEntries, threads: Threads
    ) -> None:
        self._turn = turn
        self._settings = options.thread(turn.cwd)
        self._link = link
        self._entries = entries
        self._threads = threads
        self.forgotten = False
        self.model = ""
        self.effort: str | None = None
        self.done = False
        link.request(
            "initialize",
            {
                "clientInfo": {"name": "anyon", "title": "Anyon", "version": __version__},
                "capabilities": {
                    "experimentalApi": True,
                    "optOutNotificationMethods": _OPTED_OUT,
                },
            },
        )

    def answered(self, method: str, response: Response) -> Fault | None:
        """Take in the answer to a step; an error if there can be no thread."""
        if method == "initialize":
            if response.fault is None:
                self._open()
            return response.fault
        if method == "thread/fork" and response.fault is not None:
            self._forget(rpc_error_text(response.fault))
            return None
        return response.fault or self._opened(as_dict(response.result))

    def _open(self) -> None:
        former = self._turn.session_id
        if former is None:
            self._link.request("thread/start", self._settings)
        else:
            forked: dict[str, Any] = {"threadId": former, "excludeTurns": True}
            self._link.request("thread/fork", {**forked, **self._settings})

    def _forget(self, reason: str) -> None:
        self.forgotten = True
        self._entries.once(
            f"The former session could not be resumed: {reason.rstrip('.')}. "
            "The agent starts anew and does not remember the conversation so far."
        )
        self._link.request("thread/start", self._settings)

    def _opened(self, answer: dict[str, Any]) -> Fault | None:
        thread = as_text(as_dict(answer.get("thread")).get("id"))
        if not thread:
            return Fault(0, "The agent made a thread without an id.")
        self._threads.main = thread
        self.model = as_text(answer.get("model"))
        self.effort = as_text(answer.get("reasoningEffort")) or None
        self._entries.usage.model = self.model or None
        self._entries.emit(SessionStarted(thread))
        if self.model:
            effort = f", reasoning effort: {self.effort}" if self.effort else ""
            self._entries.once(f"Model: {self.model}{effort}")
        self.done = True
        return None
