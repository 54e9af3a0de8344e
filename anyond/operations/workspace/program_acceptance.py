"""Accepting what git runs in a project's repository: a person sees what waits, and lets it run."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

from anyond.git.program.command import scrub
from anyond.git.program.fingerprint import Fingerprint, added
from anyond.git.program.text import as_utf8
from anyond.model.errors import AnyondError
from anyond.model.http.answers import GitProgram, GitPrograms
from anyond.model.http.bodies import AcceptGitPrograms
from anyond.model.ids import now
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.withheld import ProgramsChanged
from anyond.model.rows import TaskAttempt
from anyond.operations.resources import Resources
from anyond.operations.workspace.git_programs import Seen, look, row_of, see
from anyond.store.board import attempts, projects
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.upkeep import git_programs
from anyond.store.upkeep.git_programs import GitProgramsRow

_LONGEST_VALUE = 300


async def state(resources: Resources, project_id: str) -> GitPrograms:
    """Return the changes that wait to be accepted in a project.

    Raises:
        NotFound: there is no such project.
    """
    project = await resources.store.read(lambda r: projects.get(r, project_id))
    seen = await see(resources, project)
    row = None if seen is None else await resources.store.read(partial(row_of, seen, project_id))
    if seen is None or row is None:
        return GitPrograms(
            withheld=False, always=row is not None and row.always, digest=_digest([])
        )
    changed = await _waiting(resources, project_id, seen)
    # Worktrees that wait to be removed are nobody's to accept.
    living = {
        a.container_ref for a in await resources.store.read(partial(_attempts, seen, project_id))
    }
    held = seen.guard.withheld or not living.isdisjoint(seen.guard.withheld_worktrees)
    return GitPrograms(
        withheld=held and not row.always,
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
    seen = await see(resources, project)
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
    held.withheld_worktrees -= {*paths.values()}  # not those that wait to be removed
    for attempt_id, hashes in in_worktrees.items():
        held.worktrees[paths[attempt_id]] = hashes
    held.forget_looks()
    return await state(resources, project_id)


async def _look_or_nothing(checkout: Path) -> Fingerprint:
    try:
        return await look(checkout)
    except AnyondError:
        return Fingerprint()  # it is gone: nothing will run there


def _attempts(seen: Seen, project_id: str, reader: Reader) -> list[TaskAttempt]:
    """Those of all projects that have the repository."""
    rows = git_programs.of_repository(reader, str(seen.place.common_dir))
    ids = dict.fromkeys([project_id, *(row.project_id for row in rows)])
    return [attempt for id in ids for attempt in attempts.of_project(reader, id)]


async def _waiting(resources: Resources, project_id: str, seen: Seen) -> list[GitProgram]:
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
