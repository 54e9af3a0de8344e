"""The state of a checkout: differences from its HEAD, and the operation that git is in."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import trio
from msgspec import Struct, field

from anyond.git.diff.unedited import settle_copy
from anyond.git.disk import plain_files
from anyond.git.disk.scratch import scratch
from anyond.git.files.conversions import any_replaced, converted
from anyond.git.files.earlier_attributes import differing
from anyond.git.files.index_stat import copy_index
from anyond.git.program.command import NOT_INSIDE, git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import as_utf8, split
from anyond.git.repo import branches
from anyond.git.repo.distance import Distance, measure
from anyond.git.repo.repository import common_dir, common_dir_at, git_dir
from anyond.git.submodules.submodules import unsaved
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import BranchStatus

Operation = Literal["rebase", "merge", "cherry_pick", "revert"]

_OF_CHECKOUT = ("has_uncommitted_changes", "head_oid", "uncommitted_count", "untracked_count")

_OF_BRANCHES = ("commits_ahead", "commits_behind")

_ALL = (*_OF_BRANCHES, "remote_commits_ahead", "remote_commits_behind", *_OF_CHECKOUT)

_HEADS: tuple[tuple[str, Operation], ...] = (
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry_pick"),
    ("REVERT_HEAD", "revert"),
)


class InProgress(Struct, frozen=True):
    """An operation that waits for somebody to continue or abort it.

    Args:
        op: which one.
        branch: the branch that a rebase will move when it is done; None if it is another operation.
    """

    op: Operation
    branch: str | None = None


class Status(Struct, frozen=True, kw_only=True):
    """The differences of a checkout from its HEAD.

    Args:
        head_oid: the commit that is checked out; None if there is none yet.
        branch: the branch that is checked out; None if HEAD is detached.
        changed: tracked paths that differ, staged or not; conflicted ones are not among them.
        untracked: as git shows them; a directory without tracked files ends with "/".
        conflicted: paths that git could not merge.
        op: what is in progress.
        upstream_ahead, upstream_behind: compared with what was last fetched of the upstream; 0 if
            there is none.
    """

    head_oid: str | None = None
    branch: str | None = None
    changed: list[str] = field(default_factory=list)
    untracked: list[str] = field(default_factory=list)
    conflicted: list[str] = field(default_factory=list)
    op: Operation | None = None
    upstream_ahead: int = 0
    upstream_behind: int = 0

    @property
    def clean(self) -> bool:
        """No tracked file differs; untracked ones do not count."""
        return not self.changed and not self.conflicted

    @property
    def rebase_in_progress(self) -> bool:
        return self.op == "rebase"


async def status(
    worktree: Path, *, untracked: Literal["no", "normal", "all"] = "normal", renames: bool = True
) -> Status:
    """Compare HEAD, index and working tree. A file that nobody edited does not differ, even if git
    would store it differently now.

    Args:
        worktree: the top of a checkout.
        untracked: `all` names each file in an untracked directory.
        renames: whether a staged rename is one change under its new name, or two.

    Raises:
        NotFound: there is no checkout.
    """
    own = git_dir(worktree)
    if own is None:
        raise NotFound("worktree", worktree)
    how = "--find-renames" if renames else "--no-renames"
    ask = ("status", "--porcelain=v2", "-z", "--branch", f"--untracked-files={untracked}", how)
    answer = await git(*ask, NOT_INSIDE, cwd=worktree)
    suspects, rules = await parsed(answer.out, _edited)
    if suspects and (
        rules
        or await converted(worktree, suspects)
        or await differing(worktree)
        or await any_replaced(worktree)
    ):
        with scratch(own) as private:
            index = private / "index"
            await trio.to_thread.run_sync(copy_index, own, index)
            if await settle_copy(worktree, index, suspects):
                env = {"GIT_INDEX_FILE": os.fspath(index)}
                answer = await git(*ask, NOT_INSIDE, cwd=worktree, env=env)
    going_on = await in_progress(worktree)
    op = going_on.op if going_on else None
    return await parsed(answer.out, partial(_parse, op=op))


async def in_progress(worktree: Path) -> InProgress | None:
    """The rebase, merge, cherry-pick or revert that is unfinished in this checkout."""
    directory = git_dir(worktree)
    if directory is None:
        return None
    found = _state_files(directory)
    if found is None and (directory / "reftable").is_dir():
        # There, these heads are refs like others.
        for head, op in _HEADS:
            ask = ("rev-parse", "--quiet", "--verify", head)
            if (await git(*ask, cwd=worktree, check=False)).code == 0:
                return InProgress(op)
    return found


class Standing(NamedTuple):
    """The status of an attempt, and the branch that is checked out in its worktree, if any."""

    row: BranchStatus
    checked_out: str | None


async def branch_status(
    repo: Path, worktree: Path | None, branch: str, target: str, left: str | None = None
) -> BranchStatus:
    """Return the status of an attempt; see `standing`."""
    return (await standing(repo, worktree, branch, target, left)).row


async def standing(
    repo: Path, worktree: Path | None, branch: str, target: str, left: str | None = None
) -> Standing:
    """Return the status of an attempt; `merges` is left to the caller.

    Args:
        repo: anywhere in the repository.
        worktree: the attempt's checkout; without one, only the refs are told.
        branch: the attempt's branch.
        target: the branch to be merged into, local or remote. If it is gone, the numbers are 0.
        left: the commit where the attempt began, if that is known.
    """
    try:
        await common_dir(repo)
    except NotFound as missing:
        row = BranchStatus(
            commits_ahead=0,
            commits_behind=0,
            has_uncommitted_changes=False,
            head_oid=None,
            uncommitted_count=0,
            untracked_count=0,
            target_branch_name=target,
            unknown=dict.fromkeys(_ALL, str(missing)),
        )
        return Standing(row, None)
    local: Status | None = None
    inside: list[str] = []
    distance = Distance(0, 0, {})

    async def look() -> None:
        nonlocal local, inside
        if worktree is not None and _is_checkout_of(worktree, repo):
            local = await status(worktree)
            # One that has another commit as well counts once.
            inside = [path for path in await unsaved(worktree) if path not in local.changed]

    async def count() -> None:
        nonlocal distance
        found = await branches.find_all(repo, branch, target)
        gone = [name for name in (branch, target) if name not in found]
        if gone:
            why = f"There is no branch {as_utf8(gone[0])} in {as_utf8(os.fspath(repo))}."
            distance = Distance(0, 0, dict.fromkeys(_OF_BRANCHES, why))
        else:
            distance = await measure(repo, found[branch].oid, found[target].oid, left)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(look)
        nursery.start_soon(count)
    seen, unknown = local or Status(), dict(distance.unknown)
    if local is None and worktree is not None:
        why = f"There is no checkout of this repository at {as_utf8(os.fspath(worktree))}."
        unknown |= dict.fromkeys(_OF_CHECKOUT, why)
    on_branch = seen.branch == branch
    remote = (
        (seen.upstream_ahead, seen.upstream_behind) if on_branch else await _upstream(repo, branch)
    )
    row = BranchStatus(
        commits_ahead=distance.ahead,
        commits_behind=distance.behind,
        has_uncommitted_changes=bool(inside) or not seen.clean,
        head_oid=seen.head_oid,
        uncommitted_count=len(seen.changed) + len(seen.conflicted) + len(inside),
        untracked_count=len(seen.untracked),
        target_branch_name=target,
        remote_commits_ahead=remote[0],
        remote_commits_behind=remote[1],
        is_rebase_in_progress=seen.rebase_in_progress,
        conflict_op=seen.op if seen.conflicted else None,
        conflicted_files=[as_utf8(path) for path in seen.conflicted],
        unknown=unknown,
    )
    return Standing(row, seen.branch)


def _is_checkout_of(worktree: Path, repo: Path) -> bool:
    common = common_dir_at(worktree)
    return common is not None and common == common_dir_at(repo)


async def _upstream(repo: Path, branch: str) -> tuple[int, int]:
    """Ahead and behind of what was last fetched of the upstream of a branch; 0 without one."""
    mine = await branches.find(repo, branch)
    if mine is None or mine.is_remote:
        return 0, 0
    upstream = (await git("for-each-ref", "--format=%(upstream)", mine.ref, cwd=repo)).text
    if not upstream:
        return 0, 0
    try:
        return await branches.ahead_behind(repo, mine.oid, upstream)
    except NotFound:
        # Configured, but never fetched, or pruned since.
        return 0, 0


def _state_files(directory: Path) -> InProgress | None:
    for name in ("rebase-merge", "rebase-apply"):
        if (directory / name).is_dir():
            return InProgress("rebase", _rebased_branch(directory / name / "head-name"))
    for head, op in _HEADS:
        if os.path.lexists(directory / head):
            return InProgress(op)
    return None


def _rebased_branch(file: Path) -> str | None:
    try:
        ref = os.fsdecode(plain_files.read(file).strip())
    except OSError:
        # `git am` moves the branch that is checked out, and writes no such file.
        return None
    return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None


def _edited(out: bytes) -> tuple[list[str], bool]:
    """The files whose contents git takes for changed since they were staged, and whether there is
    a change of attributes."""
    found = []
    for entry in split(out):
        if entry.startswith("1 "):
            _, change, _, _, index_mode, mode, _, _, path = entry.split(" ", 8)
            if change[1] == "M" and index_mode == mode and mode.startswith("100"):
                found.append(path)
    return found, b".gitattributes\0" in out


def _parse(out: bytes, op: Operation | None) -> Status:
    """Parse the output of `git status --porcelain=v2 -z --branch`."""
    head_oid: str | None = None
    branch: str | None = None
    ahead = behind = 0
    changed: list[str] = []
    untracked: list[str] = []
    conflicted: list[str] = []
    fields = iter(split(out))
    for entry in fields:
        kind, _, rest = entry.partition(" ")
        if kind == "1":
            changed.append(rest.split(" ", 7)[7])
        elif kind == "2":
            changed.append(rest.split(" ", 8)[8])
            next(fields)
        elif kind == "u":
            conflicted.append(rest.split(" ", 9)[9])
        elif kind == "?":
            untracked.append(rest)
        elif kind == "#":
            header, _, value = rest.partition(" ")
            if header == "branch.oid":
                head_oid = None if value == "(initial)" else value
            elif header == "branch.head":
                branch = None if value == "(detached)" else value
            elif header == "branch.ab":
                plus, minus = value.split(" ")
                ahead, behind = int(plus), -int(minus)
    return Status(
        head_oid=head_oid,
        branch=branch,
        changed=changed,
        untracked=untracked,
        conflicted=conflicted,
        op=op,
        upstream_ahead=ahead,
        upstream_behind=behind,
    )
