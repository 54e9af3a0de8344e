"""The chapter Changes: what attempts have changed, and states to go back to."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from anyond.api.declaration.endpoint import BodyCall, Call, Chapter
from anyond.api.declaration.params import AttemptId, OfAttempt
from anyond.api.declaration.refusal_groups import GIT, JOB
from anyond.model.access import Scope
from anyond.model.fields import Line
from anyond.model.http.changes import ChangeList, FileChanges, SavedState, Undoing, Undone
from anyond.model.refusals.requests import Impossible, NotFound

MOST_CONTEXT = 1_000_000

Against = Annotated[
    Line,
    Meta(
        description="`base` (where it left its target), `turn` (where its last turn began), `seen`"
        " (as it was when a person looked), the id of another attempt, or a commit.",
        examples=["turn"],
    ),
]
Only = Annotated[Line, Meta(description="Only what this commit has changed.")]


class ComparedAttempt(Struct, frozen=True, kw_only=True):
    """Requests for what an attempt has changed."""

    task_attempt_id: AttemptId = field(name="id")
    against: Against = "base"
    commit: Only | None = None


class ComparedFile(ComparedAttempt, frozen=True, kw_only=True):
    """Requests for what an attempt has changed in one file."""

    path: Annotated[str, Meta(description="As in the list.", examples=["README.md"])]
    old_path: Annotated[str, Meta(description="As in the list, of a renamed file.")] | None = None
    context: Annotated[
        int, Meta(ge=0, le=MOST_CONTEXT, description="Lines around what differs.")
    ] = 3
    ignore_whitespace: Annotated[bool, Meta(description="As `git diff -w`.")] = False


LIST_CHANGES = Call(
    method="GET",
    path="/api/task-attempts/{id}/diff",
    summary="List changed files",
    params=ComparedAttempt,
    text="Which files differ, by how many lines; without contents. Uncommitted files count.",
    answer=ChangeList,
    cached=True,
    refusals=(*GIT, NotFound),
)
GET_FILE_CHANGES = Call(
    method="GET",
    path="/api/task-attempts/{id}/diff/file",
    summary="Get changes of file",
    params=ComparedFile,
    text="The hunks of one file, as git makes them; none if it does not differ.",
    answer=FileChanges,
    cached=True,
    refusals=(*GIT, NotFound),
)
LIST_SAVED_STATES = Call(
    method="GET",
    path="/api/task-attempts/{id}/snapshots",
    summary="List saved states",
    params=OfAttempt,
    text="States of the worktree that were stored before something could destroy them, the newest"
    " first.",
    answer=list[SavedState],
    cached=True,
    refusals=(*GIT, NotFound),
)
UNDO = BodyCall(
    method="POST",
    path="/api/task-attempts/{id}/undo",
    summary="Undo",
    granted_by=Scope.LAND,
    params=OfAttempt,
    text="Brings back, in place, the state before the last rebase, abort, reset or deletion of a"
    " file, or another saved one: branch, index and files. What was there until now is saved, too.",
    body=Undoing,
    optional=True,
    answer=Undone,
    refusals=(*JOB, NotFound, Impossible),
)

CHAPTER = Chapter(
    "Changes",
    "What attempts have changed, and states to go back to.",
    (LIST_CHANGES, GET_FILE_CHANGES, LIST_SAVED_STATES, UNDO),
)
