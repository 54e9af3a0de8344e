"""The recap of earlier runs that an agent gets when it begins a new session."""

from __future__ import annotations

from msgspec import Struct

from anyond.model.rows import ExecutionProcess, ExecutorAction, ScriptRequest
from anyond.operations.turn.turn_record import TurnRecord
from anyond.store.engine.transaction import Reader
from anyond.store.runs import processes, sessions

MOST = 12 * 1024
"""Characters of a retelling."""

ONE_MOST = 4 * 1024
"""Characters of one message in it."""

_HEADING = "What was said in this conversation before, the oldest first:"


class _Run(Struct, frozen=True):
    prompts: tuple[str, ...]
    summary: str | None

    def render(self) -> str:
        parts = [f"[The user]\n{_cut(prompt)}" for prompt in self.prompts]
        if self.summary:
            parts.append(f"[You, at the end of your work]\n{_cut(self.summary)}")
        return "\n\n".join(parts)


def past(reader: Reader, process: ExecutionProcess, prompt: str, task: str | None = None) -> str:
    """The earlier runs of the agent in the attempt of `process`, without those that were replaced.

    The newest ones are told as far as there is room; of what does not fit, only the very first
    prompt is told, which is the task.

    Args:
        prompt: what the agent is asked now. A run that was asked the same, and left nothing, is the
            one that is tried again, and not part of the past.
        task: what was to be the first prompt, and was not said (see `unasked`).

    Returns:
        "" if there was no run.
    """
    runs: list[_Run] = []
    for session, turn in sessions.before(reader, process.id):
        asked: tuple[str, ...] = (session.prompt,)
        if turn is not None:
            record = TurnRecord.decode(turn)
            asked = (record.prompt, *(message.text for message in record.messages))
        newer = runs[-1].prompts if runs else (prompt,)
        if session.summary is None and "\n\n".join(asked) == "\n\n".join(newer):
            continue
        runs.append(_Run(asked, session.summary))
    if runs and task is not None:
        runs.append(_Run((task,), None))
    return _joined([run.render() for run in runs], runs[-1].prompts[0]) if runs else ""


def unasked(reader: Reader, process: ExecutionProcess) -> str | None:
    """Return the first prompt of the attempt of `process`, if no run of the agent has been asked
    that.

    That is so if the setup script before it did not succeed, or was stopped. Later messages that
    were not said are drafts then; this one is what the task says, which an agent does not see.

    Returns:
        The prompt as the person wrote it; None if it was asked, or is asked now.
    """
    rows = processes.of_attempt(reader, process.task_attempt_id, show_dropped=True)
    action: ExecutorAction | None = rows[-1].executor_action
    while action is not None and isinstance(action.typ, ScriptRequest):
        action = action.next_action
    if action is None or isinstance(action.typ, ScriptRequest):
        return None
    asked = {
        r.executor_action.typ.prompt
        for r in rows
        if not isinstance(r.executor_action.typ, ScriptRequest)
    }
    return None if action.typ.prompt in asked else action.typ.prompt


def _joined(newest_first: list[str], task: str) -> str:
    first = f"[The user]\n{_cut(task, ONE_MOST // 2)}"
    room = MOST - len(_HEADING) - len(first) - 100
    texts: list[str] = []
    for text in newest_first:
        if len(text) > room:
            break
        room -= len(text) + 2
        texts.append(text)
    left_out = len(newest_first) - len(texts)
    if left_out:
        texts += [f"(The rest of the first {left_out} turns is left out.)", first]
    return "\n\n".join([_HEADING, *reversed(texts)])


def _cut(text: str, most: int = ONE_MOST) -> str:
    text = text.strip()
    return text if len(text) <= most else f"{text[:most].rstrip()} […]"
