"""Snapshots of the complete state of a worktree, and restoring them.

Theory of operation. A snapshot is a commit whose tree is the working tree without ignored files.
Its parents are HEAD (unless there is none), a commit whose tree is the index, and, if there are
conflicts, a commit whose tree has the three versions of each such file as `1/<path>`, `2/<path>`
and `3/<path>`. It is like a stash, but named by a ref of its own,
`refs/anyon/snapshots/<attempt>/<n>`, so that git never collects it. Trailers in the message say
which parent is which.

Of what git ignores, copies of the person's own files are kept if they were changed since (see
`ignored_copies`). Files of a repository inside the worktree are kept too, but not its history;
those of a submodule if they, or its commits, are nowhere else; its commits are kept, too (see
`submodule_commits`), and noted in a trailer. Empty directories are noted in a
trailer. Filters and line ends are as the repository wants them; if git refuses
because of these, files are kept byte by byte.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote

import trio

from anyond.git.commits.commit import DURABLE, UTF_8, stage_all
from anyond.git.commits.index_commit import keep_stages, put_stages, store, write_tree
from anyond.git.diff.assume_unchanged import look_again
from anyond.git.diff.status import in_progress
from anyond.git.diff.unedited import settle_copy
from anyond.git.disk.locations import forget, locate, remember
from anyond.git.disk.scratch import scratch
from anyond.git.files import ignored_copies
from anyond.git.files.index_stat import copy_index
from anyond.git.files.verbatim import verbatim
from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import as_utf8, join, split
from anyond.git.repo.checkouts import CHECKOUT_TIMEOUT_S, PARALLEL, make_parent, occupied
from anyond.git.repo.checkouts import delete as delete_directory
from anyond.git.repo.repository import Repositories, common_dir, git_dir
from anyond.git.snapshots import empty_directories
from anyond.git.submodules import submodule_commits
from anyond.git.submodules.submodules import only_here
from anyond.git.worktree.worktrees import current_branch, head
from anyond.model.ids import is_id, timestamp
from anyond.model.refusals.git import GitFailed
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.refusals.worktrees import PathTaken

R = TypeVar("R")

PREFIX = "refs/anyon/snapshots/"

_REF = re.compile(re.escape(PREFIX) + r"([0-9a-f-]{36})/([1-9][0-9]{0,8})")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One stored state.

    Args:
        ref: its name.
        oid: its commit.
        attempt_id: whose worktree it was.
        number: counts up from 1 within the attempt.
        created_at: RFC 3339.
        reason: why it was taken.
        branch: what was checked out; None if HEAD was detached.
        head: the commit that was checked out; None before the first one.
        op: the operation that was in progress.
        index: the commit whose tree is the index.
        conflicts: the commit with the versions of files in conflict, if there were any.
        empty: the note of empty directories, if there were any.
        submodules: paths, and commits that were kept because only the submodule there had them.
    """

    ref: str
    oid: str
    attempt_id: str
    number: int
    created_at: str
    reason: str
    branch: str | None
    head: str | None
    op: str | None
    index: str
    conflicts: str | None
    empty: str | None
    submodules: tuple[tuple[str, str], ...] = ()


async def take(repo: Path, worktree: Path, attempt_id: str, reason: str) -> str:
    """Store HEAD, index and working tree (untracked files too, ignored ones not, except for changed
    copies); change nothing.

    Args:
        repo: anywhere in the repository.
        worktree: the top of the checkout; a rebase or conflicts may be under way in it.
        attempt_id: whose it is.
        reason: what is about to happen, for a person.

    Returns:
        The ref that names it.

    Raises:
        NotFound: there is no checkout.
        GitFailed: it could not be stored; then what was to happen must not happen.
    """
    own = git_dir(worktree)
    if own is None:
        raise NotFound("worktree", worktree)
    if not is_id(attempt_id):
        raise Invalid("attempt_id", f"{as_utf8(attempt_id)!r} is not an id.")
    elsewhere = await submodule_commits.keep(repo, worktree, attempt_id)
    now = await head(worktree)
    going_on = await in_progress(worktree)
    parents = [now] if now else []
    conflicts = None
    with scratch(own) as private:
        index = private / "index"
        await trio.to_thread.run_sync(copy_index, own, index)
        await settle_copy(worktree, index)
        env = {"GIT_INDEX_FILE": os.fspath(index)}
        stages = split((await git("ls-files", "--unmerged", "-z", cwd=worktree, env=env)).out)
        if stages:
            conflicts = await keep_stages(worktree, stages, private)
            await _forget(worktree, {line.split("\t", 1)[1] for line in stages}, env)
        worktree_tree = await _somehow(worktree, lambda how: write_tree(worktree, env, how))
        staged = await store(worktree, worktree_tree, parents, "index")
        await look_again(worktree, env)
        ask = ("ls-files", "--others", "--exclude-standard", "-z")
        others = await parsed((await git(*ask, cwd=worktree, env=env)).out, split)
        inner = [path for path in others if path.endswith("/")]
        inner += await only_here(worktree, env)
        tree = await _somehow(worktree, lambda how: _everything(worktree, own, inner, env, how))
        empty = await empty_directories.note(worktree, env)
    facts = {
        "Index": staged,
        "Conflicts": conflicts,
        "Head": now,
        "Branch": await current_branch(worktree),
        "Operation": going_on.op if going_on else None,
        "Empty": empty,
        "Submodules": " ".join(f"{quote(sub.path)}={sub.oid}" for sub in elsewhere) or None,
    }
    trailers = "\n".join(f"Anyon-{key}: {value}" for key, value in facts.items() if value)
    parents += [oid for oid in (staged, conflicts) if oid]
    oid = await store(worktree, tree, parents, f"{reason.strip() or 'snapshot'}\n\n{trailers}")
    return await _name(repo, attempt_id, oid)


async def list_snapshots(repo: Path, attempt_id: str | None = None) -> list[Snapshot]:
    """The snapshots of one attempt, or of all, the oldest first."""
    if attempt_id is not None and not is_id(attempt_id):
        return []
    below = f"{PREFIX}{attempt_id}/" if attempt_id else PREFIX
    fields = "%(refname)%00%(objectname)%00%(committerdate:unix)%00%(contents)%00"
    listed = await git(*UTF_8, "for-each-ref", f"--format={fields}", below, cwd=repo)
    found = (_snapshot(line) for line in listed.out.split(b"\0\n")[:-1])
    return sorted(
        (snapshot for snapshot in found if snapshot is not None),
        key=lambda snapshot: (snapshot.created_at, snapshot.attempt_id, snapshot.number),
    )


async def restore(repos: Repositories, repo: Path, ref: str, path: Path) -> None:
    """Make a new worktree at `path` as the other one was: HEAD (detached), index, and files.

    A rebase that was in progress is not; what it had done and its conflicts are there.

    Raises:
        NotFound: no such snapshot.
        Conflict: `path_taken`.
    """
    found = await _find(repo, ref)
    async with repos.lock(repo):
        if occupied(path):
            raise PathTaken.by_something(path)
        make_parent(path)
        # Without a first commit there is no HEAD to detach; the index's commit is the nearest.
        where = ("--detach", "--", path, found.head or found.index)
        await git("worktree", "add", "--quiet", "--no-checkout", *where, cwd=repo)
        remember(path, await common_dir(repo))
    try:
        await _fill(path, found)
    except BaseException:
        with trio.CancelScope(shield=True):
            forget(path)
            await trio.to_thread.run_sync(delete_directory, path)
            away = ("worktree", "remove", "--force", "--force", "--", path)
            await git(*away, cwd=repo, check=False)
        raise


async def put_back(repo: Path, ref: str, worktree: Path) -> None:
    """Make an existing worktree again what it was: HEAD, index, and files. Others stay.

    What is in it now must have been stored before. A rebase that was in progress is not.

    Raises:
        NotFound: no such snapshot.
    """
    found = await _find(repo, ref)
    if found.branch is not None:
        ref = f"refs/heads/{found.branch}"
        await git("symbolic-ref", "-m", "anyon: put back", "HEAD", ref, cwd=worktree)
    elif found.head is not None:
        detached = ("--no-deref", "HEAD", found.head)
        await git("update-ref", "-m", "anyon: put back", *detached, cwd=worktree)
    index = f"{found.index}^{{tree}}"
    ask = (*PARALLEL, "read-tree", "--reset", "-u", index)
    await _somehow(worktree, lambda how: git(*how, *ask, cwd=worktree, timeout=CHECKOUT_TIMEOUT_S))
    differ = (
        "diff-tree",
        "-r",
        "-z",
        "--no-renames",
        "--name-status",
        index,
        f"{found.oid}^{{tree}}",
    )
    fields = await parsed((await git(*differ, cwd=worktree)).out, split)
    # A repository inside has files of its own in a snapshot, and is where it was.
    changes = [
        (kind, path)
        for kind, path in zip(fields[::2], fields[1::2], strict=True)
        if not _is_inside(worktree, path)
    ]
    for path in (path for kind, path in changes if kind == "D"):
        (worktree / path).unlink(missing_ok=True)
    if written := [path for kind, path in changes if kind != "D"]:
        read = ("--pathspec-from-file=-", "--pathspec-file-nul")
        again = ("restore", "--quiet", "--worktree", f"--source={found.oid}", *read)
        literally = {"GIT_LITERAL_PATHSPECS": "1"}
        await _somehow(
            worktree,
            lambda how: git(*how, *again, cwd=worktree, env=literally, input=join(written)),
        )
    await _finish(worktree, found)


def _is_inside(worktree: Path, path: str) -> bool:
    """Return whether a path is in, or is, another repository inside the worktree."""
    parents = (worktree / path, *(worktree / path).parents)
    return any((parent / ".git").exists() for parent in parents if worktree in parent.parents)


async def _fill(path: Path, found: Snapshot) -> None:
    """Give a checkout the files and the index of a snapshot."""
    ask: tuple[str, ...] = ("read-tree", "--reset", "-u", f"{found.oid}^{{tree}}")
    await _somehow(
        path, lambda how: git(*PARALLEL, *how, *ask, cwd=path, timeout=CHECKOUT_TIMEOUT_S)
    )
    await git("read-tree", f"{found.index}^{{tree}}", cwd=path)
    await _finish(path, found)


async def _finish(path: Path, found: Snapshot) -> None:
    if found.conflicts:
        await put_stages(path, found.conflicts)
    if found.empty:
        await trio.to_thread.run_sync(empty_directories.make, path, found.empty)
    # Answers 1 if anything differs, which is what a snapshot is for.
    await git("update-index", "-q", "--refresh", cwd=path, check=False)


async def delete(repo: Path, ref: str) -> None:
    """Forget a snapshot.

    Raises:
        NotFound: no such snapshot.
    """
    found = await _find(repo, ref)
    await git("update-ref", "-d", found.ref, found.oid, cwd=repo)


# ---------------------------------------------------------------- taking


async def _everything(
    worktree: Path, own: Path, inner: Iterable[str], env: dict[str, str], settings: Sequence[str]
) -> str:
    """The tree of all files. `inner` are repositories, which git would only mention by a commit."""
    await stage_all(worktree, env, settings)
    if copies := await trio.to_thread.run_sync(ignored_copies.changed, worktree):
        ask = ("update-index", "--add", "--remove", "-z", "--stdin")
        await git(*DURABLE, *settings, *ask, cwd=worktree, env=env, input=join(copies))
    for path in inner:
        await _add_inner(worktree, own, path, env, settings)
    return await write_tree(worktree, env, settings)


async def _add_inner(
    worktree: Path, own: Path, inner: str, env: dict[str, str], settings: Sequence[str]
) -> None:
    as_ours = {**env, "GIT_DIR": os.fspath(own)}
    place = locate(worktree)
    if place is not None and place.common_dir is not None:
        as_ours["GIT_COMMON_DIR"] = os.fspath(place.common_dir)
    tree = await _files_of(worktree / inner, as_ours, settings)
    await _put_in(worktree, inner, tree, env, settings)


async def _files_of(place: Path, as_ours: dict[str, str], settings: Sequence[str]) -> str:
    """The tree of the files of a repository inside, as if it were none; also of those inside of it
    that have something of their own."""
    index = Path(f"{as_ours['GIT_INDEX_FILE']}-inner")
    await trio.Path(index).unlink(missing_ok=True)
    env = {**as_ours, "GIT_WORK_TREE": os.fspath(place), "GIT_INDEX_FILE": os.fspath(index)}
    await stage_all(place, env, settings)
    for path in await only_here(place, env):
        tree = await _files_of(place / path, env, settings)
        await _put_in(place, path, tree, env, settings)
    return await write_tree(place, env, settings)


async def _put_in(
    place: Path, inner: str, tree: str, env: dict[str, str], settings: Sequence[str]
) -> None:
    """Have files in the index where the commit of a repository was."""
    await _forget(place, [inner.rstrip("/")], env)
    await git(*settings, "read-tree", f"--prefix={inner}", tree, cwd=place, env=env)


async def _somehow(worktree: Path, work: Callable[[Sequence[str]], Awaitable[R]]) -> R:
    """Try as the repository wants it, or else byte by byte: a missing filter must not cost a
    file.
    """
    try:
        return await work(())
    except GitFailed:
        return await work(await verbatim(worktree))


async def _forget(worktree: Path, paths: Iterable[str], env: dict[str, str]) -> None:
    ask = ("update-index", "--force-remove", "-z", "--stdin")
    await git(*ask, cwd=worktree, env=env, input=join(paths))


async def _name(repo: Path, attempt_id: str, oid: str) -> str:
    """Give the commit the next free number; somebody else may be about to take the same."""
    failed: GitFailed | None = None
    for _ in range(5):
        number = (
            max((taken.number for taken in await list_snapshots(repo, attempt_id)), default=0) + 1
        )
        ref = f"{PREFIX}{attempt_id}/{number}"
        try:
            # An empty old value: it must not exist.
            await git(*DURABLE, "update-ref", ref, oid, "", cwd=repo)
        except GitFailed as error:
            failed = error
        else:
            return ref
    assert failed is not None
    raise failed


# ---------------------------------------------------------------- reading


async def _find(repo: Path, ref: str) -> Snapshot:
    match = _REF.fullmatch(ref)
    if match:
        for snapshot in await list_snapshots(repo, match[1]):
            if snapshot.ref == ref:
                return snapshot
    raise NotFound("snapshot", as_utf8(ref))


def _snapshot(line: bytes) -> Snapshot | None:
    """A snapshot from its ref and commit, or None if something else bears such a name."""
    ref, oid, date, message = (os.fsdecode(part) for part in line.split(b"\0", 3))
    match = _REF.fullmatch(ref)
    reason, _, rest = message.rpartition("\n\n")
    trailers = dict(row.split(": ", 1) for row in rest.splitlines() if ": " in row)
    if match is None or "Anyon-Index" not in trailers:
        return None
    return Snapshot(
        ref=ref,
        oid=oid,
        attempt_id=match[1],
        number=int(match[2]),
        created_at=timestamp(int(date)),
        reason=as_utf8(reason),
        branch=trailers.get("Anyon-Branch"),
        head=trailers.get("Anyon-Head"),
        op=trailers.get("Anyon-Operation"),
        index=trailers["Anyon-Index"],
        conflicts=trailers.get("Anyon-Conflicts"),
        empty=trailers.get("Anyon-Empty"),
        submodules=tuple(
            (unquote(path), commit)
            for path, _, commit in (
                word.partition("=")
                for word in trailers.get("Anyon-Submodules", "").split(" ")
                if word
            )
        ),
    )
