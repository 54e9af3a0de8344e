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
from pathlib import Path
from urllib.parse import quote

import trio

from anyond.git.commits.index_commit import keep_stages, put_stages, store, write_tree
from anyond.git.diff.assume_unchanged import look_again
from anyond.git.diff.status import in_progress
from anyond.git.diff.unedited import settle_copy
from anyond.git.disk.locations import forget, remember
from anyond.git.disk.scratch import scratch
from anyond.git.files.index_stat import copy_index
from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import as_utf8, join, split
from anyond.git.repo.checkouts import CHECKOUT_TIMEOUT_S, PARALLEL, make_parent, occupied
from anyond.git.repo.checkouts import delete as delete_directory
from anyond.git.repo.repository import Repositories, common_dir, git_dir
from anyond.git.snapshots import empty_directories, snapshot_refs, snapshot_tree
from anyond.git.snapshots.snapshot_refs import Snapshot
from anyond.git.submodules import submodule_commits
from anyond.git.submodules.submodules import only_here
from anyond.git.worktree.worktrees import current_branch, head
from anyond.model.ids import is_id
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.refusals.worktrees import PathTaken


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
            await snapshot_tree.forget(worktree, {line.split("\t", 1)[1] for line in stages}, env)
        worktree_tree = await snapshot_tree.somehow(
            worktree, lambda how: write_tree(worktree, env, how)
        )
        staged = await store(worktree, worktree_tree, parents, "index")
        await look_again(worktree, env)
        ask = ("ls-files", "--others", "--exclude-standard", "-z")
        others = await parsed((await git(*ask, cwd=worktree, env=env)).out, split)
        inner = [path for path in others if path.endswith("/")]
        inner += await only_here(worktree, env)
        tree = await snapshot_tree.somehow(
            worktree, lambda how: snapshot_tree.write(worktree, own, inner, env, how)
        )
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
    return await snapshot_refs.add(repo, attempt_id, oid)


async def restore(repos: Repositories, repo: Path, ref: str, path: Path) -> None:
    """Make a new worktree at `path` as the other one was: HEAD (detached), index, and files.

    A rebase that was in progress is not; what it had done and its conflicts are there.

    Raises:
        NotFound: no such snapshot.
        Conflict: `path_taken`.
    """
    found = await snapshot_refs.find(repo, ref)
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
    except BaseException:  # a cancellation too: nothing half made stays; raised again
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
    found = await snapshot_refs.find(repo, ref)
    if found.branch is not None:
        ref = f"refs/heads/{found.branch}"
        await git("symbolic-ref", "-m", "anyon: put back", "HEAD", ref, cwd=worktree)
    elif found.head is not None:
        detached = ("--no-deref", "HEAD", found.head)
        await git("update-ref", "-m", "anyon: put back", *detached, cwd=worktree)
    index = f"{found.index}^{{tree}}"
    ask = (*PARALLEL, "read-tree", "--reset", "-u", index)
    await snapshot_tree.somehow(
        worktree, lambda how: git(*how, *ask, cwd=worktree, timeout=CHECKOUT_TIMEOUT_S)
    )
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
        await snapshot_tree.somehow(
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
    await snapshot_tree.somehow(
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
