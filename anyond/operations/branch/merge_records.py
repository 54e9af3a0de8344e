"""The latest merge of an attempt into its target, as far as the repository still has it."""

from __future__ import annotations

from pathlib import Path

from anyond.git.merging import merge_record
from anyond.git.merging.merge_record import MergeRecord
from anyond.model.rows import RunReason
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.store.engine.transaction import Reader
from anyond.store.runs import merges, processes


async def is_recorded(resources: Resources, attempt_id: str) -> bool:
    """Return whether anything of the attempt was ever merged, by us or by a pull request."""
    return await resources.store.read(lambda r: merges.latest_merge(r, attempt_id)) is not None


async def latest(resources: Resources, subject: Subject) -> MergeRecord | None:
    """The two ends of the latest merge.

    None if there is none, if the repository does not have its commits (a pull request was merged
    elsewhere and nothing was fetched since), or while something is at work in the attempt; a dev
    server is not.
    """

    def work(reader: Reader) -> merges.LatestMerge | None:
        for process in processes.running_of(reader, subject.attempt.id):
            if process.run_reason is not RunReason.DEV_SERVER:
                return None
        return merges.latest_merge(reader, subject.attempt.id)

    row = await resources.store.read(work)
    if row is None:
        return None
    return await merge_record.find(subject.repository, row.target_before, row.commit)


async def is_all(subject: Subject, found: MergeRecord) -> bool:
    """Return whether everything the attempt has was merged with `found` or before."""
    place = subject.attempt.container_ref
    return place is not None and await merge_record.has_all(
        subject.repository, Path(place), found.after
    )
