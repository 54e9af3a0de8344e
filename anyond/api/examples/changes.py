"""Examples of the chapter Changes."""

from __future__ import annotations

from anyond.api import changes
from anyond.api.declaration import samples
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.http.changes import (
    ChangedFile,
    ChangeList,
    FileChanges,
    Hunk,
    HunkLine,
    SavedState,
    Undoing,
    Undone,
)

_FILE = ChangedFile(
    change="modified",
    old_path="README.md",
    path="README.md",
    additions=1,
    deletions=0,
    binary=False,
    submodule=False,
    version="5d41402abc4b2a76b9719d911017c592ae3f1a2b",
)


def _state(number: int, reason: str) -> SavedState:
    return SavedState(
        number=number,
        created_at=things.MOMENT,
        reason=reason,
        branch=things.BRANCH,
        head=things.BEFORE,
        commit=samples.COMMIT,
    )


EXAMPLES: Examples = {
    changes.LIST_CHANGES: Example(
        answer=ChangeList(base=things.BEFORE, head=None, files=[_FILE], additions=1, deletions=0)
    ),
    changes.GET_FILE_CHANGES: Example(
        answer=FileChanges(
            base=things.BEFORE,
            head=None,
            path="README.md",
            header=["diff --git a/README.md b/README.md"],
            hunks=[
                Hunk(
                    old_start=1,
                    old_lines=1,
                    new_start=1,
                    new_lines=2,
                    section="",
                    lines=[
                        HunkLine(kind=" ", text="Tea", old=1, new=1),
                        HunkLine(kind="+", text="Green tea takes two minutes.", new=2),
                    ],
                )
            ],
        )
    ),
    changes.LIST_SAVED_STATES: Example(answer=[_state(1, "rebase")]),
    changes.UNDO: Example(
        send=Undoing(number=1),
        answer=Undone(restored=_state(1, "rebase"), before=_state(2, "undo")),
    ),
}
