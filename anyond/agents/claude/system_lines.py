"""Lines of type `system` of Claude Code: how a run begins, retries, and notices."""

from __future__ import annotations

import re

import msgspec

from anyond.agents.claude import wire
from anyond.agents.claude.calls.tool_calls import ToolCalls
from anyond.agents.claude.text import Messages
from anyond.agents.common.core import SessionStarted
from anyond.agents.common.entry import Note
from anyond.agents.common.notices import NoticesOnce, words_of
from anyond.agents.common.paths import Paths
from anyond.agents.common.pending_events import PendingEvents
from anyond.agents.json_rpc.jsonrpc import as_dict, as_text
from anyond.model.entries import SystemMessage

HARMLESS_TYPES = frozenset(
    {"keep_alive", "tool_progress", "tool_use_summary", "auth_status", "rate_limit_event"}
)
HARMLESS_NOTICES = frozenset(
    {
        "status",
        "thinking_tokens",
        "task_started",
        "task_progress",
        "task_updated",
        "task_summary",
        "hook_started",
        "hook_progress",
        "hook_response",
        "stop_hook_summary",
        "post_turn_summary",
        "turn_duration",
        "session_state_changed",
        "files_persisted",
        "commands_changed",
        "memory_saved",
        "memory_recall",
        "background_tasks_changed",
        "permission_denied",
    }
)
_SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


class SystemLines:
    """The state that lines of type `system` change in one run.

    Args:
        cwd: the worktree, absolute.
        known: the keys of notices that earlier runs of the attempt have shown.

    Attributes:
        model: the model that the program named last.
        notices: those that were shown.
    """

    def __init__(
        self,
        events: PendingEvents,
        messages: Messages,
        calls: ToolCalls,
        paths: Paths,
        *,
        cwd: str,
        known: tuple[str, ...],
    ) -> None:
        self._events = events
        self._messages = messages
        self._calls = calls
        self._paths = paths
        self._cwd = cwd
        self._session_id: str | None = None
        self._retries: dict[str | None, Note] = {}
        self.model: str | None = None
        self.notices = NoticesOnce(known)

    def receive(self, subtype: str | None, notice: wire.SystemLine, parent: str | None) -> None:
        """Take in one of them.

        Args:
            parent: the key of the sub-agent's entry, None for the main agent.
        """
        match subtype:
            case "init":
                self._began(notice)
            case "api_retry":
                self._messages.answer_broke_off(parent)
                self._retrying(notice, parent)
            case "task_notification":
                self._events.put(self._calls.notified(notice.tool_use_id, notice.status))
            case "compact_boundary":
                self._events.note("compacted", "The conversation was summarized to save space.")
            case _:
                self.notify(notice)

    def notify(self, notice: wire.SystemLine) -> None:
        """Show the words of a notice that nobody here knows; one without words says nothing."""
        text = words_of(msgspec.structs.asdict(notice))
        if self.notices.is_new(text):
            self._events.note("notice", text)

    def learn_model(self, model: str | None) -> None:
        """The program named the model; the first name, and another one, is shown."""
        if model and model != self.model:
            self.model = model
            self._events.put(Note("model", SystemMessage(), f"Model: {model}"))

    def turn_over(self) -> None:
        """The next retry is the first of its turn."""
        self._retries.clear()

    def _began(self, notice: wire.SystemLine) -> None:
        session_id = notice.session_id or ""
        if session_id != self._session_id and _SESSION_ID.fullmatch(session_id):
            self._session_id = session_id
            self._events.emit(SessionStarted(session_id))
        if notice.cwd and notice.cwd.rsplit("/", 1)[-1] == self._cwd.rsplit("/", 1)[-1]:
            self._paths.learn(notice.cwd)  # as the agent sees it, with symbolic links resolved
        self.learn_model(notice.model)

    def _retrying(self, notice: wire.SystemLine, parent: str | None) -> None:
        text = _retry_text(notice)
        note = self._retries.get(parent)
        if note is None or notice.attempt <= 1:
            note = self._retries[parent] = self._events.note("retry", text, parent)
        note.content = text
        self._events.put(note)


def _retry_text(notice: wire.SystemLine) -> str:
    """Return the sentence on a request to the model that failed and is made again."""
    status = f", status {notice.error_status}" if notice.error_status is not None else ""
    details = as_dict(notice.error)
    error = as_text(notice.error) or as_text(details.get("message")) or as_text(details.get("type"))
    text = f"The model's server refused or failed ({error or 'unknown error'}{status}). "
    if notice.max_retries:
        wait = f"{notice.retry_delay_ms / 1000:.1f} s"
        text += f"Try {notice.attempt} of {notice.max_retries} is in {wait}."
    else:
        text += "It is asked again."
    return text
