"""Refusals because of a worktree, a branch or a name that is in the way."""

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
    def uncommitted(cls, files: Sequence[str]) -> Dirty:
        """A rebase wants them committed."""
        return cls(_listing("These files have uncommitted changes", files), files)

    @classmethod
    def unresolved(cls, files: Sequence[str]) -> Dirty:
        """A commit would have the marks of the conflicts in it."""
        return cls(
            _listing("These files are in conflict, and nobody has resolved it", files), files
        )

    @classmethod
    def overwritten(cls, files: Sequence[str]) -> Dirty:
        """A rebase would write others in their place."""
        return cls(_listing("These files of the worktree would be overwritten", files), files)

    @classmethod
    def given_up(cls, files: Sequence[str]) -> Dirty:
        """A reset to an earlier run would take them away."""
        return cls(
            "The worktree has uncommitted changes; set force_when_dirty to give them up "
            "(a snapshot of them is kept), or perform_git_reset to false to keep them.",
            files,
        )


class DirtyTarget(Conflict, type="dirty_target"):
    """A checkout of the target has local changes that are in the way.

    Or it cannot be reached; then `files` is empty.
    """

    files: list[str]

    def __init__(self, sentence: str, files: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.files = list(files)

    @classmethod
    def overwritten(cls, target: str, checkout: Path, files: Sequence[str]) -> DirtyTarget:
        """The merge would write others in their place."""
        text = (
            f"{target} is checked out in {checkout}, where these files have changes of their own "
            "that the merge would overwrite"
        )
        return cls(_listing(text, files), files)

    @classmethod
    def away(cls, checkout: Path) -> DirtyTarget:
        """It is on a disk that is not there now."""
        return cls(f"{checkout} cannot be reached.")

    @classmethod
    def several(cls, target: str, checkouts: Sequence[Path]) -> DirtyTarget:
        """All but one of them would be out of step."""
        listed = " and in ".join(map(str, checkouts))
        return cls(
            f"The branch {target} is checked out in {listed}; git can update only one of them."
        )


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


class WorktreeElsewhere(Conflict, type="worktree_elsewhere"):
    """The worktree is that of another data directory, of which this one is a copy."""

    def __init__(self, worktree: Path, data_dir: str) -> None:
        super().__init__(
            f"The worktree {worktree} is that of the data directory {data_dir}, of which this one "
            "is a copy: go on there. If nobody works with that one any more, move it away, and "
            "start this daemon again."
        )


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

    @classmethod
    def there(cls, branch: str) -> NameTaken:
        """A new branch cannot be called so."""
        return cls(f"There is a branch {branch} already.")

    @classmethod
    def by_branch(cls, name: str, branch: str) -> NameTaken:
        """`branch` is in the way of another name for a branch."""
        return cls(f"The name {name} is taken by the branch {branch}.")

    @classmethod
    def by_attempt(cls, name: str) -> NameTaken:
        """An attempt has it, whose branch may not be there yet."""
        return cls(f"The name {name} is taken by another attempt.")

    @classmethod
    def by_tag(cls, name: str, tag_id: str) -> NameTaken:
        """Another tag is called so, in small or capital letters."""
        return cls(f"There is a tag {name} already.", tag_id)

    @classmethod
    def prefix(cls, branch: str, prefix: str) -> NameTaken:
        """`branch` is where git would need a directory."""
        return cls(
            f"The branch {branch} is in the way of all branches {prefix}/…: rename it, or set "
            "another git_branch_prefix."
        )


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

    @classmethod
    def by_project(cls, path: Path | str, name: str, project_id: str) -> PathTaken:
        """Another project has that repository."""
        return cls(f"The repository {path} already belongs to the project {name}.", project_id)


class IgnoredFile(Conflict, type="ignored_file"):
    """Git ignores that file, so its deletion is no change."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} is ignored by git, so no copy of it could be kept; delete it by hand."
        )


def _listing(what: str, files: Sequence[str]) -> str:
    return f"{what}: {', '.join(files[:10])}"
