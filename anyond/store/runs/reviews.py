"""Rows of reviews with their comments, and of files that were marked as seen."""

from __future__ import annotations

from typing import Any

from anyond.model.http.reviews import (
    CommentState,
    NewComment,
    Review,
    ReviewComment,
    SeeingFile,
    SeenFile,
    Side,
    SubmittedAs,
)
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.store.board import attempts
from anyond.store.engine.transaction import Reader, Tx

COMMENTS_MOST = 500
"""So many comments one review can have."""
_REVIEW = "id, task_attempt_id, created_at, submitted_at, submitted_as"
_COMMENT = (
    "c.id, c.review_id, c.path, c.side, c.start_line, c.end_line, c.lines, c.anchor, c.body,"
    " c.created_at, c.updated_at, r.submitted_at IS NOT NULL"
)


def fetch_all(reader: Reader, attempt_id: str) -> list[Review]:
    """The reviews of an attempt, the newest first. Raises `NotFound`."""
    attempts.place(reader, attempt_id)
    rows = reader.execute(
        f"SELECT {_REVIEW} FROM reviews WHERE task_attempt_id = ?"
        " ORDER BY submitted_at IS NOT NULL, created_at DESC, rowid DESC",
        (attempt_id,),
    ).fetchall()
    return [_review(reader, row) for row in rows]


def fetch_open(reader: Reader, attempt_id: str) -> Review | None:
    """The review that was not submitted yet. Raises `NotFound` for an unknown attempt."""
    return next((one for one in fetch_all(reader, attempt_id) if one.submitted_at is None), None)


def add(tx: Tx, attempt_id: str, new: NewComment, *, ids: tuple[str, str], now: str) -> Review:
    """Add a comment to the open review, which is made if there is none.

    Args:
        ids: for a new review, and for the comment.

    Raises:
        NotFound: there is no such attempt.
        Invalid: the lines are none, or it has too many comments.
    """
    _check(new)
    opened = fetch_open(tx, attempt_id)
    if opened is not None and len(opened.comments) >= COMMENTS_MOST:
        raise Invalid("body", f"is one comment more than the {COMMENTS_MOST} of a review")
    review_id = ids[0] if opened is None else opened.id
    if opened is None:
        tx.execute(
            "INSERT INTO reviews (id, task_attempt_id, created_at) VALUES (?, ?, ?)",
            (review_id, attempt_id, now),
        )
    end = new.start_line if new.end_line is None else new.end_line
    tx.execute(
        "INSERT INTO review_comments (id, review_id, path, side, start_line, end_line, lines,"
        " anchor, body, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            ids[1],
            review_id,
            new.path or "",
            (new.side or Side.NEW).value,
            new.start_line,
            end,
            new.lines or "",
            new.anchor,
            new.body,
            now,
            now,
        ),
    )
    return _updated(tx, attempt_id)


def edit(tx: Tx, attempt_id: str, comment_id: str, body: str, now: str) -> Review:
    """Change what a comment says that was not sent. Raises `NotFound`."""
    _must_be_open(tx, attempt_id, comment_id)
    tx.execute(
        "UPDATE review_comments SET body = ?, updated_at = ? WHERE id = ?", (body, now, comment_id)
    )
    return _updated(tx, attempt_id)


def remove(tx: Tx, attempt_id: str, comment_id: str) -> Review:
    """Take a comment back that was not sent. Raises `NotFound`."""
    _must_be_open(tx, attempt_id, comment_id)
    tx.execute("DELETE FROM review_comments WHERE id = ?", (comment_id,))
    return _updated(tx, attempt_id)


def submit(tx: Tx, review: Review, how: SubmittedAs, now: str) -> Review:
    """The agent has its comments, or will."""
    tx.execute(
        "UPDATE reviews SET submitted_at = ?, submitted_as = ? WHERE id = ?",
        (now, how.value, review.id),
    )
    found = next(one for one in fetch_all(tx, review.task_attempt_id) if one.id == review.id)
    _emit(tx, found)
    return found


def files_seen(reader: Reader, attempt_id: str) -> list[SeenFile]:
    """The files that were marked as seen, by their paths. Raises `NotFound`."""
    attempts.place(reader, attempt_id)
    rows = reader.execute(
        "SELECT path, version FROM files_seen WHERE task_attempt_id = ? ORDER BY path",
        (attempt_id,),
    ).fetchall()
    return [SeenFile(path=path, version=version) for path, version in rows]


def see_file(tx: Tx, attempt_id: str, seeing: SeeingFile) -> list[SeenFile]:
    """Mark a file as seen in a version, or as unseen. Raises `NotFound`."""
    attempts.place(tx, attempt_id)
    if seeing.version is None:
        tx.execute(
            "DELETE FROM files_seen WHERE task_attempt_id = ? AND path = ?",
            (attempt_id, seeing.path),
        )
    else:
        tx.execute(
            "INSERT OR REPLACE INTO files_seen (task_attempt_id, path, version) VALUES (?, ?, ?)",
            (attempt_id, seeing.path, seeing.version),
        )
    return files_seen(tx, attempt_id)


def _check(new: NewComment) -> None:
    if new.start_line is None and (new.end_line is not None or new.lines):
        raise Invalid("start_line", "must be given with `end_line` or `lines`")
    if new.start_line is not None and not new.path:
        raise Invalid("path", "must be given with lines")
    if new.start_line is not None and (new.end_line or new.start_line) < new.start_line:
        raise Invalid("end_line", "must not be before `start_line`")


def _must_be_open(tx: Tx, attempt_id: str, comment_id: str) -> None:
    row = tx.execute(
        "SELECT 1 FROM review_comments c JOIN reviews r ON r.id = c.review_id"
        " WHERE c.id = ? AND r.task_attempt_id = ? AND r.submitted_at IS NULL",
        (comment_id, attempt_id),
    ).fetchone()
    if row is None:
        raise NotFound("comment that was not sent", comment_id)


def _updated(tx: Tx, attempt_id: str) -> Review:
    review = fetch_open(tx, attempt_id)
    assert review is not None, "one of its comments was just written"
    _emit(tx, review)
    return review


def _emit(tx: Tx, review: Review) -> None:
    place = attempts.place(tx, review.task_attempt_id)
    tx.emit(
        "review_updated",
        review,
        project_id=place.project_id,
        attempt_id=place.attempt_id,
        key=review.id,
    )


def _review(reader: Reader, row: tuple[Any, ...]) -> Review:
    comments = reader.execute(
        f"SELECT {_COMMENT} FROM review_comments c JOIN reviews r ON r.id = c.review_id"
        " WHERE r.id = ? ORDER BY c.created_at, c.rowid",
        (row[0],),
    ).fetchall()
    return Review(
        id=row[0],
        task_attempt_id=row[1],
        created_at=row[2],
        submitted_at=row[3],
        submitted_as=None if row[4] is None else SubmittedAs(row[4]),
        comments=[_comment(one) for one in comments],
    )


def _comment(row: tuple[Any, ...]) -> ReviewComment:
    return ReviewComment(
        id=row[0],
        review_id=row[1],
        path=row[2],
        side=Side(row[3]),
        start_line=row[4],
        end_line=row[5],
        lines=row[6],
        anchor=row[7],
        body=row[8],
        created_at=row[9],
        updated_at=row[10],
        state=CommentState.SENT if row[11] else CommentState.OPEN,
    )
