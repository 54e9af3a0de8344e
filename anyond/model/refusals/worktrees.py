"""What a worktree, a branch or a name is in the way of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from msgspec import UNSET, UnsetType

from anyond.model.errors import Conflict


class OperationInProgress(Conflict):
    """An operation of git's has to be finished or aborted first."""


class RebaseInProgress(OperationInProgress, type="rebase_in_progress"):
    """A rebase waits to be finished or aborted."""


class MergeInProgress(OperationInProgress, type="merge_in_progress"):
    """A merge waits to be finished or aborted."""


class CherryPickInProgress(OperationInProgress, type="cherry_pick_in_progress"):
    """A cherry-pick waits to be finished or aborted."""


class RevertInProgress(OperationInProgress, type="revert_in_progress"):
    """A revert waits to be finished or aborted."""


FINISH_FIRST = "; finish or abort it first"
"""What can be done about an operation that is in progress."""


def operation_in_progress(
    op: Literal["rebase", "merge", "cherry_pick", "revert"], where: Path | str, advice: str = ""
) -> OperationInProgress:
    """The refusal because of `op`.

    Args:
        where: which checkout.
        advice: how the sentence goes on after that.
    """
    refusal = {
        "rebase": RebaseInProgress,
        "merge": MergeInProgress,
        "cherry_pick": CherryPickInProgress,
        "revert": RevertInProgress,
    }[op]
    return refusal(f"A {op.replace('_', '-')} is in progress in {where}{advice}.")


class Dirty(Conflict, type="dirty"):
    """There are changes that are not committed; `files` names them."""

    files: list[str]

    def __init__(self, sentence: str, files: Sequence[str]) -> None:
        super().__init__(sentence)
        self.files = list(files)

    @classmethod
    def listing(cls, what: str, files: Sequence[str]) -> Dirty:
        """With the first names in the sentence, after `what`."""
        return cls(f"{what}: {', '.join(files[:10])}", files)


class DirtyTarget(Conflict, type="dirty_target"):
    """A checkout of the target has local changes that are in the way.

    Or it cannot be reached; then `files` is empty.
    """

    files: list[str]

    def __init__(self, sentence: str, files: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.files = list(files)


class OffBranch(Conflict, type="off_branch"):
    """The worktree has something else checked out than its branch."""

    def __init__(self, worktree: Path, found: str | None, branch: str) -> None:
        there = f"the branch {found}" if found else "no branch"
        super().__init__(f"{worktree} has {there} checked out, and not {branch}.")


class BranchCheckedOut(Conflict, type="branch_checked_out"):
    """Another worktree has the branch checked out."""

    def __init__(self, branch: str, where: Path) -> None:
        super().__init__(f"The branch {branch} is checked out in {where}.")


class BranchMoved(Conflict, type="branch_moved"):
    """The branch was moved elsewhere, and uncommitted changes are in the way.

    Args:
        moved: the sentence that says from where to where, without its full stop.
        why: git's words.
    """

    def __init__(self, moved: str, worktree: Path, why: str) -> None:
        super().__init__(
            f"{moved}, and uncommitted changes in {worktree} are in the way ({why}). To follow by "
            "hand: git stash; git reset --hard; git stash pop."
        )


class NoWorktree(Conflict, type="no_worktree"):
    """The attempt has no worktree yet."""

    def __init__(self) -> None:
        super().__init__("This attempt has no worktree yet.")


class WorktreeLocked(Conflict, type="worktree_locked"):
    """Git was told to keep the worktree."""

    def __init__(self, worktree: Path) -> None:
        super().__init__(f"The worktree {worktree} is locked in git.")


class NameTaken(Conflict, type="name_taken"):
    """Another one has that name.

    A branch, an attempt or a tag (`tag_id`).
    """

    tag_id: str | UnsetType

    def __init__(self, sentence: str, tag_id: str | UnsetType = UNSET) -> None:
        super().__init__(sentence)
        self.tag_id = tag_id


class PathTaken(Conflict, type="path_taken"):
    """Something else is there, or has it.

    A project (`project_id`), or a file or directory.
    """

    project_id: str | UnsetType

    def __init__(self, sentence: str, project_id: str | UnsetType = UNSET) -> None:
        super().__init__(sentence)
        self.project_id = project_id

    @classmethod
    def by_something(cls, path: Path) -> PathTaken:
        """There is a file or a directory at `path`."""
        return cls(f"There is something at {path} already.")


class IgnoredFile(Conflict, type="ignored_file"):
    """Git ignores that file, so its deletion is no change."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} is ignored by git, so no copy of it could be kept; delete it by hand."
        )
