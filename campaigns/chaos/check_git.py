"""Checking that the repositories hold all that was written, and nothing that is half done."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from campaigns.chaos.ledgers import Desk
from campaigns.chaos.world import World


async def check(world: World) -> None:
    """Look at each repository, and at the worktree of each attempt."""
    for desk in world.desks:
        # It may have been completed since its lane has looked, by a start for instance.
        row = await world.look(f"/api/task-attempts/{desk.id}") if desk.gone == "no" else None
        if row is not None and row["container_ref"]:
            desk.worktree = Path(row["container_ref"])
    for project in world.projects:
        await _check_repository(world, Path(project["git_repo_path"]))
    for desk in world.desks:
        await _check_worktree(world, desk)


async def _check_repository(world: World, repository: Path) -> None:
    faults, name = world.faults, repository.name
    fsck = subprocess.run(
        ["git", "fsck", "--no-dangling", "--no-progress", "--connectivity-only"],
        cwd=repository,
        env=world.daemon.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if fsck.returncode:
        faults.half_done.append(f"fsck of {name}: {fsck.stdout[:400]} {fsck.stderr[:400]}")
    status = world.git(repository, "status", "--porcelain").splitlines()
    expected = [] if repository.name.endswith("0") else ["M person.txt", "?? notes.txt"]
    if [line.strip() for line in status] != expected:
        faults.half_done.append(f"the checkout of {name} is not as its HEAD: {status}")
    every = set(
        world.git(repository, "rev-list", "--objects", "--no-object-names", "--all").split()
    )
    mine = [desk for desk in world.desks if desk.repository == repository]
    paths = {str(desk.worktree) for desk in mine}
    # What an agent has written over before anybody committed it is its own affair.
    last = {(note["worktree"], note["path"]): note for note in world.agents.written}
    for note in last.values():
        if note["worktree"] in paths and note["blob"] not in every:
            path = Path(note["worktree"], note["path"])
            if not path.exists() or path.read_text() != f"{note['token']} {note['path']}\n":
                faults.lost.append(f"{note['path']} of {note['worktree']} is nowhere")
    executions = {record["id"] for desk in mine for record in world.processes(desk.id)}
    for note in world.agents.commits:
        if note["execution"] in executions and note["commit"] not in every:
            faults.lost.append(f"commit {note['commit']} of {note['token']} is on no ref")
    for branch, commit in world.persons.get(str(repository), []):
        if not _contains(world, repository, branch, commit):
            faults.lost.append(f"the person's commit {commit} is not on {branch} of {name}")
    await _check_records(world, repository, mine)
    await _check_merges(world, repository, mine)


def _contains(world: World, repository: Path, branch: str, commit: str) -> bool:
    found = subprocess.run(
        ["git", "merge-base", "--is-ancestor", commit, branch],
        cwd=repository,
        env=world.daemon.environment,
        capture_output=True,
        check=False,
    )
    return found.returncode == 0


async def _check_records(world: World, repository: Path, mine: list[Desk]) -> None:
    """Branches, worktrees and locks are those of attempts, and of nobody else."""
    faults = world.faults
    listed = world.git(repository, "worktree", "list", "--porcelain").split("\n\n")
    listed = [one.splitlines()[0].removeprefix("worktree ") for one in listed if one.strip()]
    there = {str(desk.worktree) for desk in mine if desk.gone == "no"}
    for path in set(listed[1:]) - there:
        faults.left_over.append(f"git knows a worktree {path} that is no attempt's")
    for desk in mine:
        if desk.worktree is None:
            continue
        if desk.gone == "yes" and desk.worktree.exists():
            faults.left_over.append(f"the worktree of {desk.title}, which was deleted, is there")
        if desk.gone == "no" and str(desk.worktree) not in listed:
            faults.lost.append(f"git does not know the worktree of {desk.title}")
    branches = world.git(repository, "for-each-ref", "--format=%(refname:short)", "refs/heads")
    rows = [await world.look(f"/api/task-attempts/{d.id}") for d in mine if d.gone == "no"]
    # The branch of a deleted task stays.
    may = {"main", "develop"} | {b for d in mine for b in d.branches if d.gone != "no"}
    # An attempt whose worktree could never be made has failed, and has no branch yet.
    must = {row["branch"] for row in rows if row is not None and row["container_ref"]}
    for branch in set(branches.split()) - may - must:
        faults.left_over.append(f"branch {branch} is no attempt's")
    for branch in must - set(branches.split()):
        faults.lost.append(f"branch {branch} of an attempt is not there")
    for desk, row in zip([d for d in mine if d.gone == "no"], rows, strict=True):
        if row is None:
            faults.lost.append(f"attempt {desk.title} is gone")
        elif row["branch"] not in desk.branches:
            faults.half_done.append(f"branch of {desk.title} is {row['branch']}")


async def _check_merges(world: World, repository: Path, mine: list[Desk]) -> None:
    """Check that what was merged is known, is there, and is there once."""
    faults = world.faults
    for target in ("main", "develop"):
        form = "--format=%H %T %P"
        log = world.git(repository, "log", "--first-parent", form, target).splitlines()
        trees = {line.split()[0]: line.split()[1] for line in log}
        for line in log:
            commit, tree, *parents = line.split()
            if parents and trees.get(parents[0]) == tree:
                faults.doubled.append(f"{commit} on {target} of {repository.name} changes nothing")
    for desk in mine:
        for tip, target in desk.tips:
            if not _contains(world, repository, target, tip):
                faults.lost.append(f"a merge of {desk.title} into {target} is not there")
        if desk.gone != "no":
            continue
        status = await world.look(f"/api/task-attempts/{desk.id}/branch-status") or {}
        known = [m["merge_commit"] for m in status.get("merges", []) if m["type"] == "direct"]
        if any(times > 1 for times in Counter(known).values()):
            faults.doubled.append(f"a merge of {desk.title} is recorded twice")
        if not desk.merged <= len(known) <= desk.merged + desk.merged_perhaps:
            asked = f"{desk.merged} to {desk.merged + desk.merged_perhaps} were asked for"
            faults.half_done.append(f"{desk.title} knows {len(known)} merges; {asked}")
        for commit in known:
            if not any(_contains(world, repository, t, commit) for t in ("main", "develop")):
                faults.half_done.append(f"merge {commit} of {desk.title} is on no target")


async def _check_worktree(world: World, desk: Desk) -> None:
    """The worktree is on its branch, complete, and in the middle of nothing."""
    if desk.gone != "no":
        return
    faults = world.faults
    row: dict[str, Any] | None = await world.look(f"/api/task-attempts/{desk.id}")
    if row is None:
        return  # told already
    if desk.worktree is None:
        return
    if not desk.worktree.exists():
        faults.lost.append(f"the worktree of {desk.title} is not there")
        return
    status = await world.look(f"/api/task-attempts/{desk.id}/branch-status") or {}
    waits = status.get("is_rebase_in_progress") or status.get("conflict_op")
    if waits and not desk.may_wait:
        faults.half_done.append(f"{desk.title} is in the middle of {status.get('conflict_op')}")
    if waits:
        return
    head = world.git(desk.worktree, "symbolic-ref", "-q", "--short", "HEAD", check=False)
    if head != row["branch"]:
        faults.half_done.append(f"HEAD of {desk.title} is {head!r}, not {row['branch']}")
    lines = world.git(desk.worktree, "status", "--porcelain", "-uall").splitlines()
    for line in lines:
        if line[:2].strip() not in {"??", "M", "A", "AM"}:
            faults.half_done.append(f"in the worktree of {desk.title}: {line}")
    for name in desk.deleted:
        if (desk.worktree / name).exists():
            faults.lost.append(f"{name} of {desk.title} was deleted, and is there again")
