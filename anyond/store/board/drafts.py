"""Rows of drafts: what each was, is, and has become."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from msgspec import UNSET

from anyond.model.drafts import Draft, DraftPatch, DraftType, QueueWish
from anyond.model.ids import derived_id
from anyond.model.refusals.drafts import DraftQueued, EmptyDraft, StaleDraft
from anyond.model.refusals.requests import Impossible, Invalid, NotFound
from anyond.model.refusals.runs import Dropped
from anyond.model.rows import TaskAttempt
from anyond.store.board import attempts, images
from anyond.store.engine.transaction import Reader, Tx

_COLUMNS = (
    "task_attempt_id, draft_type, state, retry_process_id, prompt, variant, image_ids, version,"
    " created_at, updated_at"
)
_IMAGES = msgspec.json.Decoder(list[str])


class _Row(NamedTuple):
    attempt_id: str
    type: DraftType
    state: str = "deleted"
    retry_process_id: str | None = None
    prompt: str = ""
    variant: str | None = None
    image_ids: str = "[]"
    version: int = 0
    created_at: str = ""
    updated_at: str = ""

    def to_draft(self) -> Draft:
        """Return it in the form for clients."""
        sent, deleted = self.state == "sent", self.state == "deleted"
        return Draft(
            id=derived_id("draft", self.attempt_id, self.type.value),
            task_attempt_id=self.attempt_id,
            draft_type=self.type,
            retry_process_id=self.retry_process_id,
            prompt="" if sent else self.prompt,
            queued=self.state == "queued",
            variant=self.variant,
            image_ids=[] if sent else _IMAGES.decode(self.image_ids),
            version=0 if deleted else self.version,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


# ---------------------------------------------------------------- reading


def get(reader: Reader, attempt_id: str, type: DraftType) -> Draft:
    """The draft as it is now; an empty one of version 0 if there is none. Raises `NotFound`."""
    return _row(reader, attempt_id, type).to_draft()


def of_project(reader: Reader, project_id: str) -> list[Draft]:
    """All that are kept in the attempts of a project, the newest attempt first."""
    rows = reader.execute(
        f"SELECT {', '.join('d.' + c.strip() for c in _COLUMNS.split(','))} FROM drafts d"
        " JOIN task_attempts a ON a.id = d.task_attempt_id JOIN tasks t ON t.id = a.task_id"
        " WHERE t.project_id = ? AND d.state <> 'deleted'"
        " ORDER BY a.created_at DESC, a.rowid DESC, d.draft_type",
        (project_id,),
    ).fetchall()
    return [_decoded(row).to_draft() for row in rows]


def fetch_written(reader: Reader) -> list[Draft]:
    """All that somebody has begun and neither sent nor queued, the newest first."""
    rows = reader.execute(
        f"SELECT {_COLUMNS} FROM drafts WHERE state = 'edited' AND prompt <> ''"
        " ORDER BY updated_at DESC"
    ).fetchall()
    return [_decoded(row).to_draft() for row in rows]


def blank(attempt: TaskAttempt, type: DraftType) -> Draft:
    """Return the form of a draft that was never written."""
    return _blank(attempt, type).to_draft()


def queued(reader: Reader, attempt_id: str) -> Draft | None:
    """The draft that is to be sent as soon as the agent of the attempt is free."""
    found = _stored(reader, attempt_id, DraftType.FOLLOW_UP)
    return found.to_draft() if found is not None and found.state == "queued" else None


def attempts_with_queued(reader: Reader) -> list[str]:
    """The ids of all attempts for which something is queued, the longest waiting first."""
    rows = reader.execute(
        "SELECT task_attempt_id FROM drafts WHERE state = 'queued' ORDER BY updated_at"
    ).fetchall()
    return [id for (id,) in rows]


# ---------------------------------------------------------------- what a person does


def save(tx: Tx, attempt_id: str, type: DraftType, patch: DraftPatch, now: str) -> Draft:
    """Change what `patch` names; emits `draft_updated`. One that names nothing changes nothing.

    Raises:
        NotFound: no such attempt or image, or no such process to retry.
        Conflict: it is queued, or it has changed since the client saw it; the error's data has
            the draft as it is.
        Invalid, Impossible: a retry that says not, or falsely, what it starts again from.
    """
    old = _row(tx, attempt_id, type)
    draft = old.to_draft()
    # Where nothing was ever written, whatever number a client begins with does no harm.
    if patch.version is not None and old.version and patch.version != draft.version:
        raise StaleDraft(draft)
    named = (patch.prompt, patch.variant, patch.image_ids, patch.retry_process_id)
    if all(value is UNSET for value in named):
        return draft
    if old.state == "queued":
        raise DraftQueued(draft)
    prompt = draft.prompt if patch.prompt is UNSET else patch.prompt or ""
    pictures = draft.image_ids if patch.image_ids is UNSET else patch.image_ids or []
    new = old._replace(
        state="edited",
        prompt=prompt,
        variant=draft.variant if patch.variant is UNSET else patch.variant or None,
        image_ids=msgspec.json.encode(pictures).decode(),
        created_at=now if old.state == "deleted" else old.created_at,
    )
    if type is DraftType.RETRY:
        retried = patch.retry_process_id
        if retried is UNSET:
            retried = old.retry_process_id
        new = new._replace(retry_process_id=_retried(tx, attempt_id, retried))
    # The task shows them from now on, so that they are not swept away as nobody's.
    images.link(tx, attempts.place(tx, attempt_id).task_id, pictures, now)
    return _write(tx, new, now)


def delete(tx: Tx, attempt_id: str, type: DraftType, now: str) -> None:
    """Empty it, queued or not; emits `draft_updated` if there was one. Raises `NotFound`."""
    row = _row(tx, attempt_id, type)
    if row.state != "deleted":
        _write(tx, _emptied(row), now)


def queue(tx: Tx, attempt_id: str, request: QueueWish, now: str) -> Draft:
    """Queue the follow-up, or take it back; emits `draft_updated` if that changes anything.

    Raises:
        NotFound: no such attempt.
        Conflict: there is nothing to queue, or it is not as the client expected.
    """
    row = _row(tx, attempt_id, DraftType.FOLLOW_UP)
    draft = row.to_draft()
    if (request.expected_version not in (None, draft.version)) or (
        request.expected_queued not in (None, draft.queued)
    ):
        raise StaleDraft(draft)
    to_queue = request.queued is not False
    if to_queue == draft.queued:
        return draft
    if to_queue and not draft.prompt.strip():
        raise EmptyDraft(draft)
    return _write(tx, row._replace(state="queued" if to_queue else "edited"), now)


# ---------------------------------------------------------------- what becomes of it


def take(tx: Tx, attempt_id: str, process_id: str, now: str) -> None:
    """A process sends a follow-up: the draft is empty from now on, whether or not it was queued.

    Emits `draft_updated`, and before it, for a queued one, the same with `sending` set.
    """
    row = _stored(tx, attempt_id, DraftType.FOLLOW_UP)
    if row is None or row.state not in {"edited", "queued"}:
        return
    if row.state == "queued":
        _emit(tx, row.to_draft().being_sent())
    _write(tx, row._replace(state="sent"), now)
    tx.execute(
        "UPDATE drafts SET sent_as = ? WHERE task_attempt_id = ? AND draft_type = 'follow_up'",
        (process_id, attempt_id),
    )


def give_back(tx: Tx, process_id: str, now: str) -> None:
    """The process that took a draft never started: the draft is there again, but not queued.

    Unless something else was written meanwhile. Emits `draft_updated` if it is there again.
    """
    found = tx.execute(
        f"SELECT {_COLUMNS} FROM drafts WHERE sent_as = ? AND state = 'sent'", (process_id,)
    ).fetchone()
    if found is not None:
        _write(tx, _decoded(found)._replace(state="edited"), now)


def pass_on(tx: Tx, process_id: str, other_id: str) -> None:
    """Pass what one process had sent on to another one that sends it instead."""
    tx.execute("UPDATE drafts SET sent_as = ? WHERE sent_as = ?", (other_id, process_id))


def keep(tx: Tx, attempt_id: str, prompt: str, now: str, *, variant: str | None = None) -> None:
    """Nobody was told `prompt`: it is a draft, after whatever was written meanwhile.

    Emits `draft_updated`.

    Args:
        variant: how it was to be told; it counts unless something was written meanwhile.
    """
    row = _row(tx, attempt_id, DraftType.FOLLOW_UP)
    draft = row.to_draft()
    _write(
        tx,
        row._replace(
            state="edited",
            prompt="\n\n".join(text for text in (draft.prompt, prompt) if text.strip()),
            variant=draft.variant if draft.prompt.strip() else variant or draft.variant,
            image_ids=msgspec.json.encode(draft.image_ids).decode(),
            created_at=now if row.state == "deleted" else row.created_at,
        ),
        now,
    )


def unqueue(tx: Tx, attempt_id: str, now: str) -> None:
    """Nobody will send what is queued; its text stays. Emits `draft_updated` if it was queued."""
    row = _stored(tx, attempt_id, DraftType.FOLLOW_UP)
    if row is not None and row.state == "queued":
        _write(tx, row._replace(state="edited"), now)


def forget_retry(tx: Tx, process_id: str, now: str) -> None:
    """The process was replaced: no draft shall start again from it. Emits `draft_updated`."""
    found = tx.execute(
        f"SELECT {_COLUMNS} FROM drafts WHERE retry_process_id = ? AND state <> 'deleted'",
        (process_id,),
    ).fetchone()
    if found is not None:
        _write(tx, _emptied(_decoded(found)), now)


# ---------------------------------------------------------------- rows


def _row(reader: Reader, attempt_id: str, type: DraftType) -> _Row:
    attempt = attempts.get(reader, attempt_id)
    found = _stored(reader, attempt_id, type)
    return _blank(attempt, type) if found is None else found


def _blank(attempt: TaskAttempt, type: DraftType) -> _Row:
    made = attempt.created_at
    return _Row(attempt.id, type, created_at=made, updated_at=made)


def _stored(reader: Reader, attempt_id: str, type: DraftType) -> _Row | None:
    row = reader.execute(
        f"SELECT {_COLUMNS} FROM drafts WHERE task_attempt_id = ? AND draft_type = ?",
        (attempt_id, type.value),
    ).fetchone()
    return None if row is None else _decoded(row)


def _decoded(row: tuple[object, ...]) -> _Row:
    found = _Row(*row)  # type: ignore[arg-type]
    return found._replace(type=DraftType(found.type))


def _emptied(row: _Row) -> _Row:
    return _Row(row.attempt_id, row.type, version=row.version, created_at=row.created_at)


def _write(tx: Tx, row: _Row, now: str) -> Draft:
    new = row._replace(type=row.type.value, version=row.version + 1, updated_at=now)  # type: ignore[arg-type]
    tx.execute(
        f"INSERT OR REPLACE INTO drafts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", new
    )
    return _emit(tx, _decoded(new).to_draft())


def _emit(tx: Tx, draft: Draft) -> Draft:
    place = attempts.place(tx, draft.task_attempt_id)
    tx.emit(
        "draft_updated",
        draft,
        project_id=place.project_id,
        attempt_id=place.attempt_id,
        key=draft.id,
    )
    return draft


def _retried(reader: Reader, attempt_id: str, process_id: str | None) -> str:
    if not process_id:
        raise Invalid("retry_process_id", "is missing; a retry starts again from a process")
    row = reader.execute(
        "SELECT task_attempt_id, run_reason, dropped FROM execution_processes WHERE id = ?",
        (process_id,),
    ).fetchone()
    if row is None:
        raise NotFound("execution process", process_id)
    if row[0] != attempt_id:
        raise Impossible("retry_process_id", "That process belongs to another attempt.")
    if row[1] != "codingagent":
        raise Impossible("retry_process_id", "Only the run of an agent can be tried again.")
    if row[2]:
        raise Dropped
    return process_id
