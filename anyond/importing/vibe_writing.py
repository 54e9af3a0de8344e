"""Writing the new rows of a vibe-kanban, each of them once and under its old id."""

from __future__ import annotations

from collections.abc import Callable

from anyond.importing import vibe_rows
from anyond.importing.known import OLD_FOLDER
from anyond.importing.vibe_plan import Bundle, Plan
from anyond.importing.vibe_records import (
    OldAttempt,
    OldProcess,
    OldProject,
    OldTag,
    OldTask,
    Unreadable,
)
from anyond.model.drafts import DraftPatch, DraftType
from anyond.model.http.bodies import NewProject, NewTag, NewTask, TaskPatch
from anyond.model.ids import now
from anyond.model.rows import ProcessStatus, PullRequestInfo, ScriptRequest, Session, TaskStatus
from anyond.store.board import attempts, drafts, images, imported, projects, tags, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import merges, processes, sessions


class Rows:
    """Rows of one plan; each method is what one transaction does."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._report = plan.report

    def project(self, tx: Tx, old: OldProject) -> None:
        new = NewProject(
            name=old.name,
            git_repo_path=str(old.path),
            use_existing_repo=True,
            setup_script=old.setup_script,
            dev_script=old.dev_script,
            cleanup_script=old.cleanup_script,
            copy_files=old.copy_files,
        )
        projects.insert(tx, new, old.id, old.created_at)
        imported.note(tx, old.id)

    def tag(self, tx: Tx, old: OldTag) -> None:
        """Raises `AnyondError` if no tag can be like that."""
        new = NewTag(tag_name=old.name, content=old.content)
        tags.insert(tx, new, old.id, old.created_at)
        imported.note(tx, old.id)

    def bundle(self, tx: Tx, bundle: Bundle) -> None:
        """All that is new of one task; its files are there already."""
        task = bundle.task
        if bundle.is_new:
            self._write_task(tx, bundle)
        elif bundle.images:
            _bring_images(tx, bundle)
        for attempt, is_new in bundle.attempts:
            if is_new:
                _insert_attempt(tx, task, attempt)
        for attempt, process in bundle.processes:
            _insert_process(tx, attempt, process)
        for attempt, process in bundle.ended:
            _write_end(tx, attempt, process, processes.correct_end)
        for attempt, row in bundle.merges:
            if (problem := _insert_merge(tx, attempt, row)) is not None:
                self._report.leave(f"a merge of attempt {attempt.branch}: {problem}")
        for attempt, prompt, variant in bundle.drafts:
            patch = DraftPatch(prompt=prompt, variant=variant)
            drafts.save(tx, attempt.id, DraftType.FOLLOW_UP, patch, attempt.updated_at)
        if bundle.is_new:
            status = task.status
            if status is TaskStatus.IN_PROGRESS and bundle.attempts:
                # Nothing runs here that could end it; it waits for the person.
                status = TaskStatus.IN_REVIEW
            tasks.set_status(tx, task.id, status, task.updated_at)

    def _write_task(self, tx: Tx, bundle: Bundle) -> None:
        task = bundle.task
        description, ids = _write_images(tx, bundle, task.description)
        new_task = NewTask(
            project_id=self._plan.project_ids[task.project_id],
            title=task.title,
            description=description,
            image_ids=ids,
        )
        tasks.insert(tx, new_task, task.id, task.created_at)
        imported.note(tx, task.id)

    def parents(self, tx: Tx) -> None:
        """At the end, since a task may come from an attempt that was imported after it."""
        here = {id for (id,) in tx.execute("SELECT id FROM task_attempts")}
        written = {id for (id,) in tx.execute("SELECT id FROM tasks")}
        for bundle in self._plan.bundles:
            parent = bundle.task.parent
            if bundle.is_new and parent is not None and bundle.task.id in written:
                if parent in here:
                    patch = TaskPatch(parent_task_attempt=parent)
                    tasks.patch(tx, bundle.task.id, patch, bundle.task.updated_at)
                else:
                    self._report.leave(
                        f"task {bundle.task.title} is imported, but not what it comes from"
                    )


def _write_images(tx: Tx, bundle: Bundle, description: str | None) -> tuple[str | None, list[str]]:
    """The description with links to what they are called here, and their ids."""
    ids = []
    for image in bundle.images:
        if (picture := image.picture) is None:
            continue
        row = images.insert(
            tx,
            id=vibe_rows.image_id(image.old_name),
            file_name=picture.file_name,
            original_name=image.name,
            mime_type=picture.mime_type,
            size_bytes=picture.size,
            hash=f"sha256:{picture.hash}",
            now=bundle.task.created_at,
        )
        ids.append(row.id)
        if description:
            description = description.replace(f"{OLD_FOLDER}/{image.old_name}", row.file_path)
    return description, ids


def _bring_images(tx: Tx, bundle: Bundle) -> None:
    """Give a task of an earlier import the pictures that were not found then."""
    id = bundle.task.id
    description, ids = _write_images(tx, bundle, tasks.get(tx, id).description)
    if ids:
        images.link(tx, id, ids, now())
        tasks.patch(tx, id, TaskPatch(description=description), now())


def _insert_attempt(tx: Tx, task: OldTask, old: OldAttempt) -> None:
    attempts.insert(
        tx,
        id=old.id,
        task_id=task.id,
        branch=old.branch,
        target_branch=old.target_branch,
        executor=old.executor.value,
        now=old.created_at,
    )
    imported.note(tx, old.id)
    if old.setup_completed_at is not None:
        attempts.set_setup_completed(tx, old.id, old.setup_completed_at, old.updated_at)
    if old.worktree is not None:
        attempts.set_container(tx, old.id, old.worktree, old.updated_at)
    elif old.worktree_deleted:
        attempts.set_worktree_deleted(tx, old.id, True, old.updated_at)


def _insert_process(tx: Tx, attempt: OldAttempt, old: OldProcess) -> None:
    processes.insert(
        tx,
        id=old.id,
        attempt_id=attempt.id,
        run_reason=old.run_reason,
        executor_action=old.action,
        before_head_commit=old.before_head_commit,
        now=old.started_at,
    )
    _write_end(tx, attempt, old, processes.finish)


def _write_end(tx: Tx, attempt: OldAttempt, old: OldProcess, write: Callable[..., object]) -> None:
    if not isinstance(old.action.typ, ScriptRequest):
        left = Session(
            execution_process_id=old.id,
            task_attempt_id=attempt.id,
            session_id=old.session_id,
            prompt=old.prompt,
            summary=old.summary,
        )
        sessions.upsert(tx, left)
    write(
        tx,
        old.id,
        old.status,
        exit_code=None if old.status is ProcessStatus.KILLED else old.exit_code,
        after_head_commit=old.after_head_commit,
        at=old.ended_at,
    )
    if old.dropped:
        # Later ones may be here already, from an earlier import or run by Anyon.
        processes.drop_alone(tx, old.id, old.ended_at)


def _insert_merge(tx: Tx, attempt: OldAttempt, row: tuple[object, ...]) -> str | None:
    """Returns what is wrong with it, if it cannot be taken."""
    try:
        old = vibe_rows.merge(row)
    except Unreadable as problem:
        return str(problem)
    if isinstance(old.what, PullRequestInfo):
        merges.keep_pull_request(
            tx,
            id=old.id,
            attempt_id=attempt.id,
            target_branch_name=old.target_branch,
            info=old.what,
            now=old.created_at,
        )
    else:
        merges.insert_direct(
            tx,
            id=old.id,
            attempt_id=attempt.id,
            merge_commit=old.what,
            target_branch_name=old.target_branch,
            now=old.created_at,
        )
    return None
