"""Rows of vibe-kanban: each becomes a value of ours, or is refused with a reason."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from anyond.importing.vibe_records import (
    OldAttempt,
    OldMerge,
    OldProcess,
    OldProject,
    OldTag,
    OldTask,
    Unreadable,
)
from anyond.importing.vibe_tables import Tables
from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.ids import derived_id, timestamp
from anyond.model.rows import (
    CodingAgentFollowUpRequest,
    CodingAgentInitialRequest,
    ExecutorAction,
    ProcessStatus,
    PullRequestInfo,
    RunReason,
    ScriptContext,
    ScriptRequest,
    TaskStatus,
)

RESUMABLE = frozenset(
    {Executor.CLAUDE_CODE, Executor.AMP, Executor.CODEX, Executor.CURSOR_AGENT, Executor.OPENCODE}
)
"""Agents whose sessions lie with the agent itself. Those of the others were vibe-kanban's own."""

_CONTEXTS = {
    RunReason.SETUP_SCRIPT: ScriptContext.SETUP,
    RunReason.CLEANUP_SCRIPT: ScriptContext.CLEANUP,
    RunReason.DEV_SERVER: ScriptContext.DEV_SERVER,
}


def projects(tables: Tables) -> Iterator[OldProject | Unreadable]:
    """All projects; those with several repositories are not what Anyon knows as one."""
    for row in tables.projects():
        key, name, path, setup, dev, cleanup, copies, created, updated, repos = row
        try:
            if repos != 1:
                raise Unreadable(f"project {name}: it has {repos} repositories, not one")
            moment = _moment(created)
            yield OldProject(
                key=key,
                id=_id(key),
                name=_text(name) or Path(_needed(path, "path")).name,
                path=Path(_resolved(_needed(path, "path"))),
                setup_script=_text(setup),
                dev_script=_text(dev),
                cleanup_script=_text(cleanup),
                copy_files=_text(copies),
                created_at=moment,
                updated_at=_moment(updated, moment),
            )
        except Unreadable as problem:
            yield Unreadable(f"project {name}: {problem}")


def tasks(tables: Tables) -> Iterator[OldTask | Unreadable]:
    """All tasks, the oldest first."""
    for key, project, title, description, status, parent, created, updated in tables.tasks():
        try:
            moment = _moment(created)
            yield OldTask(
                key=key,
                id=_id(key),
                project_id=_id(project),
                title=_needed(title, "title"),
                description=_text(description),
                status=_member(TaskStatus, status, "status"),
                parent=None if parent is None else _id(parent),
                created_at=moment,
                updated_at=_moment(updated, moment),
            )
        except Unreadable as problem:
            yield Unreadable(f"task {title}: {problem}")


def attempts(tables: Tables, task: OldTask) -> Iterator[OldAttempt | Unreadable]:
    """Those of a task, the oldest first."""
    for row in tables.attempts_of(task.key):
        key, path, branch, target, executor, gone, set_up, created, updated, repo = row
        try:
            moment = _moment(created)
            yield OldAttempt(
                key=key,
                id=_id(key),
                worktree=_worktree(_text(path), _text(repo)),
                branch=_needed(branch, "branch"),
                target_branch=_text(target) or "main",
                executor=_executor(executor),
                worktree_deleted=bool(gone),
                setup_completed_at=None if set_up is None else _moment(set_up),
                created_at=moment,
                updated_at=_moment(updated, moment),
            )
        except Unreadable as problem:
            yield Unreadable(f"attempt {branch} of task {task.title}: {problem}")


def processes(tables: Tables, attempt: OldAttempt) -> Iterator[OldProcess | Unreadable]:
    """Those of an attempt, the oldest first. What was running is not any more: it was killed."""
    for row in tables.processes_of(attempt.key):
        (key, reason, action, status, code, dropped, before, after,
         started, completed, created, updated, session, prompt, summary) = row  # fmt: skip
        try:
            why = _member(RunReason, reason, "run_reason")
            moment = _moment(started, _moment(created))
            state = _member(ProcessStatus, status, "status")
            what = _action(action, why, attempt.executor, _text(prompt) or "")
            typ = what.typ
            resumable = (
                not isinstance(typ, ScriptRequest) and typ.executor_profile_id.executor in RESUMABLE
            )
            yield OldProcess(
                key=key,
                id=_id(key),
                run_reason=why,
                action=what,
                status=ProcessStatus.KILLED if state is ProcessStatus.RUNNING else state,
                has_ended=state is not ProcessStatus.RUNNING,
                exit_code=code if isinstance(code, int) else None,
                dropped=bool(dropped),
                before_head_commit=_text(before),
                after_head_commit=_text(after),
                started_at=moment,
                ended_at=_moment(completed or updated, moment),
                session_id=_text(session) if resumable else None,
                prompt=_text(prompt) or (typ.prompt if not isinstance(typ, ScriptRequest) else ""),
                summary=_text(summary),
            )
        except Unreadable as problem:
            yield Unreadable(f"a process of attempt {attempt.branch}: {problem}")


def tags(tables: Tables) -> Iterator[OldTag | Unreadable]:
    """All tags; here their names are one word each."""
    for key, name, content, created in tables.tags():
        try:
            yield OldTag(
                id=_id(key),
                name="_".join(_needed(name, "name").split()),
                content=_text(content) or "",
                created_at=_moment(created),
            )
        except Unreadable as problem:
            yield Unreadable(f"tag {name}: {problem}")


def merge(row: tuple[object, ...]) -> OldMerge:
    """Convert a row of `Tables.merges_of`. Raises `Unreadable`."""
    key, kind, target, commit, number, url, status, merged_at, sha, created = row
    what: str | PullRequestInfo
    if kind == "direct":
        what = _needed(commit, "merge_commit")
    elif kind == "pr" and isinstance(number, int) and status in ("open", "merged", "closed"):
        what = PullRequestInfo(
            number=number,
            url=_needed(url, "pr_url"),
            status=str(status),
            merged_at=None if merged_at is None else _moment(merged_at),
            merge_commit_sha=_text(sha),
        )
    else:
        raise Unreadable(f"it is {kind!r} with a pull request that is {status!r}")
    return OldMerge(
        id=_id(key),
        target_branch=_text(target) or "main",
        what=what,
        created_at=_moment(created),
    )


def merge_id(row: tuple[object, ...]) -> str | None:
    """The id of a row of `Tables.merges_of`; None if it has none."""
    try:
        return _id(row[0])
    except Unreadable:
        return None


def image_id(old_name: str) -> str:
    """The id under which an image with this file is known here."""
    return derived_id("vibe-kanban image", old_name)


# ---------------------------------------------------------------- values


def _id(value: object) -> str:
    try:
        if isinstance(value, bytes):
            return str(uuid.UUID(bytes=value))
        return str(uuid.UUID(str(value)))
    except ValueError:
        raise Unreadable(f"its id is {value!r}, which is none") from None


def _text(value: object) -> str | None:
    """A text that says something, as it is; else None."""
    return value if isinstance(value, str) and value.strip() else None


def _needed(value: object, name: str) -> str:
    text = _text(value)
    if text is None:
        raise Unreadable(f"its {name} is empty")
    return text


def _moment(value: object, otherwise: str | None = None) -> str:
    """A moment as SQLite or vibe-kanban's library wrote it; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        if otherwise is not None:
            return otherwise
        raise Unreadable(f"one of its moments is {value!r}, which is none") from None
    return timestamp((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _member(kind: Any, value: object, name: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise Unreadable(f"its {name} is {value!r}, which is not known") from None


def _executor(value: object) -> Executor:
    name = str(value or "").strip().upper().replace("-", "_").replace(" ", "_")
    return Executor(_member(Executor, {"CURSOR": "CURSOR_AGENT"}.get(name, name), "executor"))


def _resolved(path: str) -> str:
    """Resolve a path: Anyon knows repositories by the path without symbolic links."""
    absolute = os.path.expanduser(path)
    if "\0" in path or not os.path.isabs(absolute):
        raise Unreadable(f"its path is {path!r}, which is not absolute")
    return os.path.realpath(absolute)


def _worktree(path: str | None, repo: str | None) -> str | None:
    """The directory that is a worktree now: that of the attempt, or that of its repository in it.

    A worktree is known by the file `.git` in it; whether it is one of the right repository is
    looked at when it is used.
    """
    if path is None or not os.path.isabs(path):
        return None
    candidates = [path] if repo is None or "/" in repo else [os.path.join(path, repo), path]
    return next(
        (place for place in candidates if os.path.isfile(os.path.join(place, ".git"))), None
    )


def _action(value: object, why: RunReason, executor: Executor, prompt: str) -> ExecutorAction:
    """Return the action that was run; from the row's other columns if its description is of an
    older form.
    """
    try:
        action = msgspec.json.decode(str(value), type=ExecutorAction)
    except (msgspec.MsgspecError, UnicodeError):
        action = _older_action(str(value), why, executor, prompt)
    if isinstance(action.typ, ScriptRequest) == (why is RunReason.CODING_AGENT):
        raise Unreadable("its executor_action does not fit its run_reason")
    return action


def _older_action(text: str, why: RunReason, executor: Executor, prompt: str) -> ExecutorAction:
    try:
        decoded = msgspec.json.decode(text)
    except msgspec.MsgspecError:
        decoded = None
    typ = decoded.get("typ") if isinstance(decoded, dict) else None
    typ = typ if isinstance(typ, dict) else {}
    if why is not RunReason.CODING_AGENT:
        script = str(typ.get("script") or "")
        return ExecutorAction(typ=ScriptRequest(script=script, context=_CONTEXTS[why]))
    profile = ExecutorProfileId(executor=executor)
    prompt = str(typ.get("prompt") or prompt)
    if session := typ.get("session_id"):
        return ExecutorAction(
            typ=CodingAgentFollowUpRequest(
                prompt=prompt, session_id=str(session), executor_profile_id=profile
            )
        )
    return ExecutorAction(typ=CodingAgentInitialRequest(prompt=prompt, executor_profile_id=profile))
