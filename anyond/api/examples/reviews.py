"""Examples of the chapter Reviews."""

from __future__ import annotations

from msgspec.structs import replace

from anyond.api import reviews
from anyond.api.declaration import samples
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.http.reviews import (
    CommentPatch,
    CommentState,
    NewComment,
    Review,
    ReviewComment,
    SeeingFile,
    SeenFile,
    Side,
    Submission,
    SubmittedAs,
)

_ID = "0e1d2c3b-4a59-4687-9786-a5b4c3d25a12"
_COMMENT = ReviewComment(
    id="6f5e4d3c-2b1a-4098-8765-4d3c2b1a5a11",
    review_id=_ID,
    path="README.md",
    side=Side.NEW,
    start_line=3,
    end_line=3,
    lines="Green tea takes two minutes.",
    anchor=samples.COMMIT,
    body="Three, if it is Japanese.",
    state=CommentState.OPEN,
    created_at=things.MOMENT,
    updated_at=things.MOMENT,
)
_OPEN = Review(
    id=_ID,
    task_attempt_id=samples.ATTEMPT_ID,
    created_at=things.MOMENT,
    submitted_at=None,
    submitted_as=None,
    comments=[_COMMENT],
)
_SUBMITTED = replace(
    _OPEN,
    submitted_at=things.MOMENT,
    submitted_as=SubmittedAs.MESSAGE,
    comments=[replace(_COMMENT, state=CommentState.SENT)],
)
_SEEN = SeenFile(path="README.md", version="5d41402abc4b2a76b9719d911017c592ae3f1a2b")

EXAMPLES: Examples = {
    reviews.LIST_REVIEWS: Example(answer=[_OPEN]),
    reviews.ADD_COMMENT: Example(
        send=NewComment(
            path=_COMMENT.path,
            side=Side.NEW,
            start_line=3,
            end_line=3,
            lines=_COMMENT.lines,
            anchor=samples.COMMIT,
            body=_COMMENT.body,
        ),
        answer=_OPEN,
    ),
    reviews.EDIT_COMMENT: Example(send=CommentPatch(body=_COMMENT.body), answer=_OPEN),
    reviews.DELETE_COMMENT: Example(answer=replace(_OPEN, comments=[])),
    reviews.SUBMIT_REVIEW: Example(send=Submission(), answer=_SUBMITTED),
    reviews.LIST_FILES_SEEN: Example(answer=[_SEEN]),
    reviews.MARK_FILE_SEEN: Example(
        send=SeeingFile(path=_SEEN.path, version=_SEEN.version), answer=[_SEEN]
    ),
}
