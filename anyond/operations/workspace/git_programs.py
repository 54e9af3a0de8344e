"""Programs that git may run in a project's repository: changes by runs wait for a person.

Who has changed what is told by when: nothing that is at work can have changed what was different
before a run began, so that was the person, and holds from then on. What changes until the run is
over may have been the agent, and is withheld until the person accepts it.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import structlog
from msgspec import Struct
from msgspec.structs import replace

from anyond.git.disk import locations
from anyond.git.disk.locations import Location
from anyond.git.program import guard
from anyond.git.program.command import settings
from anyond.git.program.fingerprint import Fingerprint, added
from anyond.git.program.guard import Guard
from anyond.git.program.text import as_utf8
from anyond.logs import notes
from anyond.model.errors import AnyondError
from anyond.model.ids import now
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import ExecutionProcess, Project, RunReason
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import known_checkouts
from anyond.store.board import attempts, projects
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.runs import processes
from anyond.store.upkeep import git_programs
from anyond.store.upkeep.git_programs import GitProgramsRow

log = structlog.get_logger()

_MOST_NAMED = 5
_UNSEEN = ""
"""In place of the names of what has changed, if that could not be seen."""


class Seen(Struct, frozen=True):
    """A repository, its guard, and a look at it from the person's own checkout."""

    place: Location
    guard: Guard
    main: Fingerprint


async def load(resources: Resources) -> None:
    """Know all projects' checkouts and what may run there; before anything is asked of git."""
    for row in await resources.store.read(git_programs.unaccepted):
        place = Path(row.common_dir)
        guard.install(place, Guard(place, row.accepted, withheld=True))
    for project in await resources.store.read(projects.fetch_all):
        await restore(resources, project)
    await known_checkouts.know_removed(resources)


async def restore(resources: Resources, project: Project) -> None:
    """Know a project's checkouts and what may run there, as it is written down."""
    row = await resources.store.read(partial(git_programs.get, project_id=project.id))
    await known_checkouts.know(resources, project, Path(row.common_dir) if row else None)
    if row is not None:
        await _restore(resources, project, row)


async def begin(resources: Resources, subject: Subject, process: ExecutionProcess) -> None:
    """A process is about to be started: what is there now, nobody but a person can have left.

    Unless others are at work in the repository, or what they have changed is not accepted yet.

    Raises:
        AnyondError: git could not be asked.
    """
    seen = await see(resources, subject.project)
    if seen is None:
        return
    held, project_id = seen.guard, subject.project.id
    row = await resources.store.read(partial(row_of, seen, project_id))
    alone = not (held.runs - {process.id})
    withheld = held.withheld and bool(added(seen.main.shared, held.accepted))
    accepted = dict(seen.main.shared) if alone and not withheld else held.accepted
    worktree = str(subject.worktree)
    before = (await look(subject.worktree)).worktree
    busy = await resources.store.read(
        lambda r: [p.id for p in processes.running_of(r, subject.attempt.id) if p.id in held.runs]
    )
    theirs = worktree in held.withheld_worktrees or bool(set(busy) - {process.id})
    in_worktree = held.worktrees.get(worktree, before) if theirs else before
    fresh = GitProgramsRow(
        project_id=project_id,
        common_dir=str(seen.place.common_dir),
        accepted=accepted,
        always=held.always,
        withheld_by=row.withheld_by if row is not None and withheld else None,
        withheld_at=row.withheld_at if row is not None and withheld else None,
    )
    flag = worktree in held.withheld_worktrees

    def write(tx: Tx) -> None:
        git_programs.put(tx, fresh)
        git_programs.put_worktree(tx, subject.attempt.id, in_worktree, withheld=flag)

    await resources.store.write(write)
    held.accepted, held.withheld = accepted, withheld
    held.worktrees[worktree] = in_worktree
    if await resources.store.read(lambda r: _counts(r, process)):
        held.runs.add(process.id)
    held.forget_looks()


async def end(
    resources: Resources, subject: Subject, process: ExecutionProcess
) -> list[notes.Remark]:
    """A process is over: what it has changed is withheld from now on.

    To be called before git is asked for anything on its behalf.

    Returns:
        What the person has to be told.
    """
    held = _guard_of(subject)
    if held is None:
        return []
    worktree = str(subject.worktree)
    if process.id not in held.runs and not (held.withheld or worktree in held.withheld_worktrees):
        return []
    # Whatever keeps us from looking may be the run's doing, too.
    shared = own = [_UNSEEN]
    unseen, why = "what holds for all checkouts", ""
    try:
        seen = await see(resources, subject.project)
        if seen is None:
            raise NotFound("git repository at", subject.project.git_repo_path)
        shared = added(seen.main.shared, held.accepted)
        unseen = "what holds in its worktree"
        here = await look(subject.worktree)
        own = [name for name in held.changes(here, worktree, seen.main) if name in here.worktree]
    except Exception as error:
        log.warning("git_programs_not_seen", attempt=subject.attempt.id, why=str(error))
        why = str(error) if isinstance(error, AnyondError | OSError) else type(error).__name__
    held.runs.discard(process.id)
    held.forget_looks()
    if held.always or not (shared or own):
        return []
    first = bool(shared) and not held.withheld
    held.withheld = held.withheld or bool(shared)
    if own:
        held.withheld_worktrees.add(worktree)
    moment, attempt_id = now(), subject.attempt.id

    def write(tx: Tx) -> None:
        row = git_programs.get(tx, subject.project.id)
        if row is not None and first:
            by = {"withheld_by": attempt_id, "withheld_at": moment}
            git_programs.put(tx, _replaced(row, **by))
        if own:
            git_programs.put_worktree(
                tx, attempt_id, held.worktrees.get(worktree, {}), withheld=True
            )
        if not attempts.get(tx, attempt_id).git_programs_withheld:
            attempts.set_git_programs_withheld(tx, attempt_id, True, moment)

    await resources.store.write(write)
    names = [name for name in (*shared, *own) if name != _UNSEEN]
    texts = [_changed_text(names, subject.project.id)] if names else []
    if why:
        texts.append(_unseen_text(unseen, why, subject.project.id))
    return [notes.Remark(text=text, error=True) for text in texts]


def not_started(subject: Subject, process: ExecutionProcess) -> None:
    """A process that `begin` was told of did not come to be."""
    held = _guard_of(subject)
    if held is not None:
        held.runs.discard(process.id)


# ---------------------------------------------------------------- what is there


async def _restore(resources: Resources, project: Project, row: GitProgramsRow) -> None:
    """A guard as it was when the last daemon ended."""

    def read(r: Reader) -> Guard:
        held = Guard(
            Path(project.git_repo_path),
            row.accepted,
            always=row.always,
            withheld=row.withheld_by is not None,
        )
        changes_of = git_programs.worktrees(r, project.id)
        for attempt in attempts.of_project(r, project.id):
            if attempt.container_ref is not None and attempt.id in changes_of:
                hashes, withheld = changes_of[attempt.id]
                held.worktrees[attempt.container_ref] = hashes
                if withheld:
                    held.withheld_worktrees.add(attempt.container_ref)
            running = processes.running_of(r, attempt.id)
            held.runs |= {process.id for process in running if _counts(r, process)}
        return held

    held, other = await resources.store.read(read), guard.of(Path(row.common_dir))
    if other is not None:
        # Another project of the same repository: what one knows holds for both, and what versions
        # before have written down for one of them alone does not.
        same = {k: v for k, v in held.accepted.items() if other.accepted.get(k) == v}
        held.accepted, held.always = same, held.always and other.always
        held.withheld = held.withheld or other.withheld
        held.worktrees |= other.worktrees
        held.withheld_worktrees |= other.withheld_worktrees
        held.runs |= other.runs
    guard.install(Path(row.common_dir), held)


def _guard_of(subject: Subject) -> Guard | None:
    place = locations.locate(subject.repository)
    return None if place is None or place.common_dir is None else guard.of(place.common_dir)


async def see(resources: Resources, project: Project) -> Seen | None:
    """The repository as it is now; None if it is not there."""
    path = Path(project.git_repo_path)
    place = locations.locate(path)
    if place is None or place.common_dir is None:
        await known_checkouts.know(resources, project)
        place = locations.locate(path)
    if place is None or place.common_dir is None:
        return None
    main = await look(path)
    held = guard.of(place.common_dir)
    if held is None:
        held = Guard(path, dict(main.shared))
        guard.install(place.common_dir, held)
    return Seen(place, held, main)


async def look(checkout: Path) -> Fingerprint:
    place = locations.locate(checkout)
    if place is None or place.common_dir is None:
        return Fingerprint()
    return await guard.take(place, lambda: settings(checkout))


def row_of(seen: Seen, project_id: str, reader: Reader) -> GitProgramsRow | None:
    """Return the row of a project; of another one of the same repository, if none of its runs was
    looked at yet.
    """
    row = git_programs.get(reader, project_id)
    others = git_programs.of_repository(reader, str(seen.place.common_dir)) if row is None else []
    return others[0] if others else row


def _counts(reader: Reader, process: ExecutionProcess) -> bool:
    """Return whether what changes while a process runs may be an agent's doing.

    A setup script is the person's, and is given what the person's branch has, unless an agent was
    there before.
    """
    if process.run_reason is not RunReason.SETUP_SCRIPT:
        return True
    earlier = processes.of_attempt(reader, process.task_attempt_id)
    return any(other.run_reason is RunReason.CODING_AGENT for other in earlier)


def _unseen_text(unseen: str, why: str, project_id: str) -> str:
    return (
        f"Whether an agent or a script has changed what git runs could not be seen ({unseen}): "
        f"{why}\nUntil a person has accepted what is there, Anyon runs git without the hooks, "
        "filters and other programs of this repository. "
        f"See GET /api/projects/{project_id}/git-programs, and POST …/git-programs/accept."
    )


def _changed_text(names: list[str], project_id: str) -> str:
    listed = ", ".join(as_utf8(name) for name in names[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (
        f"What git runs in this repository has changed while an agent or a script was at work: "
        f"{listed}{more}. Until a person has accepted that, Anyon runs git without the hooks, "
        "filters and other programs of this repository. "
        f"See GET /api/projects/{project_id}/git-programs, and POST …/git-programs/accept."
    )


def _replaced(row: GitProgramsRow, **changes: str) -> GitProgramsRow:
    return replace(row, **changes)
