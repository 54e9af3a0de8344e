"""Programs that git may run in a project's repository: changes by runs wait for a person.

Who has changed what is told by when: nothing that is at work can have changed what was different
before a run began, so that was the person, and holds from then on. What changes until the run is
over may have been the agent, and is withheld until the person accepts it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
from msgspec.structs import replace

from anyond.git.disk import locations
from anyond.git.disk.locations import Location
from anyond.git.program import guard
from anyond.git.program.command import scrub, settings
from anyond.git.program.fingerprint import Fingerprint, added
from anyond.git.program.guard import Guard
from anyond.git.program.text import as_utf8
from anyond.logs import notes
from anyond.model.errors import AnyondError
from anyond.model.http.answers import GitProgram, GitPrograms
from anyond.model.http.bodies import AcceptGitPrograms
from anyond.model.ids import now
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.withheld import ProgramsChanged
from anyond.model.rows import ExecutionProcess, Project, RunReason, TaskAttempt
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import known_checkouts
from anyond.store.board import attempts, projects
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.runs import processes
from anyond.store.upkeep import git_programs
from anyond.store.upkeep.git_programs import GitProgramsRow

log = structlog.get_logger()

_LONGEST_VALUE = 300
_MOST_NAMED = 5
_UNSEEN = ""
"""In place of the names of what has changed, if that could not be seen."""


@dataclass(frozen=True)
class _Seen:
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
    seen = await _see(resources, subject.project)
    if seen is None:
        return
    held, project_id = seen.guard, subject.project.id
    row = await resources.store.read(partial(_row, seen, project_id))
    alone = not (held.runs - {process.id})
    withheld = held.withheld and bool(added(seen.main.shared, held.accepted))
    accepted = dict(seen.main.shared) if alone and not withheld else held.accepted
    worktree = str(subject.worktree)
    before = (await _look(subject.worktree)).worktree
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
        seen = await _see(resources, subject.project)
        if seen is None:
            raise NotFound("git repository at", subject.project.git_repo_path)
        shared = added(seen.main.shared, held.accepted)
        unseen = "what holds in its worktree"
        here = await _look(subject.worktree)
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


async def state(resources: Resources, project_id: str) -> GitPrograms:
    """Return the changes that wait to be accepted in a project.

    Raises:
        NotFound: there is no such project.
    """
    project = await resources.store.read(lambda r: projects.get(r, project_id))
    seen = await _see(resources, project)
    row = None if seen is None else await resources.store.read(partial(_row, seen, project_id))
    if seen is None or row is None:
        return GitPrograms(
            withheld=False, always=row is not None and row.always, digest=_digest([])
        )
    changed = await _waiting(resources, project_id, seen)
    return GitPrograms(
        withheld=bool(seen.guard.withheld or seen.guard.withheld_worktrees) and not row.always,
        always=row.always,
        digest=_digest(changed),
        changes=changed,
        task_attempt_id=row.withheld_by,
        since=row.withheld_at,
    )


async def accept(resources: Resources, project_id: str, body: AcceptGitPrograms) -> GitPrograms:
    """Let run what is there now; or whatever will ever be there.

    Raises:
        NotFound: there is no such project, or no repository.
        Conflict: `git_programs_changed`: it is not what `wanted.digest` stands for any more.
    """
    project = await resources.store.read(lambda r: projects.get(r, project_id))
    seen = await _see(resources, project)
    if seen is None:
        raise NotFound("git repository at", project.git_repo_path)
    held = seen.guard
    changed = await _waiting(resources, project_id, seen)
    if body.digest is not None and body.digest != _digest(changed):
        raise ProgramsChanged
    in_worktrees: dict[str, dict[str, str]] = {}
    paths: dict[str, str] = {}
    for attempt in await resources.store.read(partial(_attempts, seen, project_id)):
        if attempt.container_ref in held.withheld_worktrees:
            assert attempt.container_ref is not None
            paths[attempt.id] = attempt.container_ref
            there = await _look_or_nothing(Path(attempt.container_ref))
            in_worktrees[attempt.id] = dict(there.worktree)
    always = held.always if body.always is None else body.always
    fresh = GitProgramsRow(
        project_id=project_id,
        common_dir=str(seen.place.common_dir),
        accepted=dict(seen.main.shared),
        always=always,
    )
    moment = now()

    def write(tx: Tx) -> None:
        git_programs.put(tx, fresh)
        for attempt_id, hashes in in_worktrees.items():
            git_programs.put_worktree(tx, attempt_id, hashes, withheld=False)
        for attempt in _attempts(seen, project_id, tx):
            if attempt.git_programs_withheld:
                attempts.set_git_programs_withheld(tx, attempt.id, False, moment)

    await resources.store.write(write)
    held.accepted, held.always, held.withheld = fresh.accepted, always, False
    held.withheld_worktrees.clear()
    for attempt_id, hashes in in_worktrees.items():
        held.worktrees[paths[attempt_id]] = hashes
    held.forget_looks()
    return await state(resources, project_id)


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


async def _see(resources: Resources, project: Project) -> _Seen | None:
    """The repository as it is now; None if it is not there."""
    path = Path(project.git_repo_path)
    place = locations.locate(path)
    if place is None or place.common_dir is None:
        await known_checkouts.know(resources, project)
        place = locations.locate(path)
    if place is None or place.common_dir is None:
        return None
    main = await _look(path)
    held = guard.of(place.common_dir)
    if held is None:
        held = Guard(path, dict(main.shared))
        guard.install(place.common_dir, held)
    return _Seen(place, held, main)


async def _look(checkout: Path) -> Fingerprint:
    place = locations.locate(checkout)
    if place is None or place.common_dir is None:
        return Fingerprint()
    return await guard.take(place, lambda: settings(checkout))


async def _look_or_nothing(checkout: Path) -> Fingerprint:
    try:
        return await _look(checkout)
    except AnyondError:
        return Fingerprint()  # it is gone: nothing will run there


def _row(seen: _Seen, project_id: str, reader: Reader) -> GitProgramsRow | None:
    """Return the row of a project; of another one of the same repository, if none of its runs was
    looked at yet.
    """
    row = git_programs.get(reader, project_id)
    others = git_programs.of_repository(reader, str(seen.place.common_dir)) if row is None else []
    return others[0] if others else row


def _attempts(seen: _Seen, project_id: str, reader: Reader) -> list[TaskAttempt]:
    """Those of all projects that have the repository."""
    rows = git_programs.of_repository(reader, str(seen.place.common_dir))
    ids = dict.fromkeys([project_id, *(row.project_id for row in rows)])
    return [attempt for id in ids for attempt in attempts.of_project(reader, id)]


async def _waiting(resources: Resources, project_id: str, seen: _Seen) -> list[GitProgram]:
    """Return the programs that are not accepted, with what there is to show of them."""
    found = []
    if seen.guard.withheld:
        found = [
            _program(name, seen.main, None) for name in added(seen.main.shared, seen.guard.accepted)
        ]
    for attempt in await resources.store.read(partial(_attempts, seen, project_id)):
        where = attempt.container_ref
        if where is not None and where in seen.guard.withheld_worktrees:
            here = await _look_or_nothing(Path(where))
            names = seen.guard.changes(here, where, seen.main)
            found += [_program(name, here, attempt.id) for name in names if name in here.worktree]
    return found


def _program(name: str, look: Fingerprint, attempt_id: str | None) -> GitProgram:
    value = look.values.get(name)
    hashed = look.worktree[name] if attempt_id is not None else look.shared[name]
    text = None if value is None else as_utf8(scrub(value))[:_LONGEST_VALUE]
    return GitProgram(name=as_utf8(name), value=text, hash=hashed, task_attempt_id=attempt_id)


def _digest(changed: list[GitProgram]) -> str:
    lines = (f"{one.task_attempt_id}\0{one.name}\0{one.hash}" for one in changed)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


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
