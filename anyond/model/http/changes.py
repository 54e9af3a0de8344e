"""Changes of an attempt: which files first, then the lines of each; and states to go back to."""

from __future__ import annotations

from msgspec import Struct

UNDO = "undo"
REPLACES_NOTHING = frozenset({"merge", "push", UNDO})
"""The reasons of states that are stored before what replaces nothing, or before an undoing."""


class ChangedFile(Struct, frozen=True, kw_only=True):
    """One file that differs.

    Args:
        change: added, deleted, modified, renamed, copied, permissionChange.
        old_path, path: where it was and is; of a deleted file, both where it was.
        additions, deletions: lines; 0 if it is binary.
        version: stands for its content now; another content has another one. "" if it is deleted.
        submodule: whether it is another repository, of which only the commit counts.
    """

    change: str
    old_path: str | None
    path: str
    additions: int
    deletions: int
    binary: bool
    submodule: bool
    version: str


class ChangeList(Struct, frozen=True, kw_only=True):
    """The files that differ, by their paths.

    Args:
        base: the commit that they are compared with; None is nothing at all.
        head: the commit that is compared; None is the worktree as it is, uncommitted files too.
    """

    base: str | None
    head: str | None
    files: list[ChangedFile]
    additions: int
    deletions: int


class HunkLine(Struct, frozen=True, kw_only=True):
    """A line of a hunk.

    Args:
        kind: ` `, `+` or `-`, as in a patch.
        old, new: its number before and now, from 1.
        no_newline: it is the last one, and ends without a line feed.
    """

    kind: str
    text: str
    old: int | None = None
    new: int | None = None
    no_newline: bool = False


class Hunk(Struct, frozen=True, kw_only=True):
    """Lines that differ, with some around them.

    Args:
        section: what git names behind the numbers, such as a function.
    """

    old_start: int
    old_lines: int
    new_start: int
    new_lines: int
    section: str
    lines: list[HunkLine]


class FileChanges(Struct, frozen=True, kw_only=True):
    """The hunks of one file, as git makes them.

    Args:
        header: what git says before the hunks: modes, renames, "Binary files … differ".
        binary: it has no lines.
        cut: there are more lines than are sent.
    """

    base: str | None
    head: str | None
    path: str
    header: list[str]
    hunks: list[Hunk]
    binary: bool = False
    cut: bool = False


class SavedState(Struct, frozen=True, kw_only=True):
    """A state of the worktree that was stored before something could destroy it.

    Args:
        number: counts up from 1 within the attempt.
        reason: what was about to happen.
        head: the commit that was checked out.
    """

    number: int
    created_at: str
    reason: str
    branch: str | None
    head: str | None
    commit: str


class Undoing(Struct, frozen=True, kw_only=True):
    """Body of going back to a saved state.

    Args:
        number: of the state; null is that before the last thing that replaced anything.
    """

    number: int | None = None


class Undone(Struct, frozen=True, kw_only=True):
    """The state that is there again, and that which was there until now."""

    restored: SavedState
    before: SavedState
