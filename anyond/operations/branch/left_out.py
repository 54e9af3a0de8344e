"""Files that a person might miss in the commit of a turn, each with the reason."""

from __future__ import annotations

from anyond.git.commits import oversize
from anyond.git.commits.unstorable import unstorable
from anyond.git.diff import assume_unchanged
from anyond.git.program.text import as_utf8
from anyond.git.repo.checkouts import inside as checkouts_inside
from anyond.git.submodules import submodules
from anyond.logs import notes
from anyond.model.rows import ExecutionProcess
from anyond.operations.subject import Subject

_MOST = 10
"""So many files of each kind are named."""


async def find(subject: Subject, process: ExecutionProcess) -> list[notes.Remark]:
    """Repositories inside, very large files, changed files that git is told not to look at, and
    those that it cannot take."""
    # Many a program that sets up a project makes it a repository, and nobody notices.
    inside = await submodules.nested_repositories(subject.worktree, process.before_head_commit)
    large = await oversize.oversized(subject.worktree)
    hidden = await assume_unchanged.changed(subject.worktree)
    apart = [*inside, *(file.path for file in large), *await checkouts_inside(subject.worktree)]
    refused = await unstorable(subject.worktree, apart)
    texts = [
        f"{as_utf8(path)} is a repository of its own, so its files are in no commit and "
        f"will not be merged. If they should be, delete {as_utf8(path)}/.git."
        for path in inside[:_MOST]
    ]
    texts += [
        f"{as_utf8(file.path)} has {file.size / 1024**2:,.0f} MiB. A new file of more than "
        f"{oversize.LIMIT_BYTES // 1024**2} MiB is not committed by itself, and will not be "
        "merged. Commit it by hand if it should be; it stays in the worktree."
        for file in large[:_MOST]
    ]
    texts += [
        f"{as_utf8(path)} was changed, but is marked {mark} in the index, so git does not look at "
        "it, and the change will not be merged. If it should be, say "
        f"git update-index --no-{mark} {as_utf8(path)} in the worktree, and commit it."
        for path, mark in hidden[:_MOST]
    ]
    texts += [
        f"{as_utf8(file.path)} {file.why}, so it is not committed and will not be merged: it is "
        "only in the worktree, and is set aside in Anyon's data directory when that is deleted."
        for file in refused[:_MOST]
    ]
    if len(refused) > _MOST:
        texts.append(f"So it is with {len(refused) - _MOST:,} other files.")
    return [notes.Remark(text=text, error=True) for text in texts]
