"""Pull requests as rows: one for each address, and news only when something is new."""

from __future__ import annotations

import msgspec
import pytest

from anyond.model.refusals.requests import NotFound
from anyond.model.rows import PullRequestInfo
from anyond.store.board import tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import merges
from tests.support.store.seeds import add_family, at, emitted, sent

OPEN = PullRequestInfo(
    number=4,
    url="https://github.com/o/r/pull/4",
    status="open",
    merged_at=None,
    merge_commit_sha=None,
)
MERGED = msgspec.structs.replace(OPEN, status="merged", merged_at=at(9), merge_commit_sha="a" * 40)


def keep(tx: Tx, info: PullRequestInfo, id: str = "m", target: str = "main", now: str = at(1)):  # type: ignore[no-untyped-def]
    return merges.keep_pull_request(
        tx, id=id, attempt_id="a", target_branch_name=target, info=info, now=now
    )


def test_a_pull_request_is_news_once(tx: Tx) -> None:
    add_family(tx)
    row, news = keep(tx, OPEN)
    assert news
    assert emitted(tx) == [("pr_status_changed", "m")]
    assert keep(tx, OPEN, id="other") == (row, False)
    assert emitted(tx) == []
    assert merges.of_attempt(tx, "a") == [row]


def test_a_merged_one_is_the_same_row_and_the_task_knows(tx: Tx) -> None:
    add_family(tx)
    keep(tx, OPEN)
    emitted(tx)
    row, news = keep(tx, MERGED, id="other", now=at(2))
    assert (row.id, row.created_at, news) == ("m", at(1), True)
    assert sorted(emitted(tx)) == [("pr_status_changed", "m"), ("task_updated", "t")]
    assert merges.pull_requests(tx, "a") == [row]
    assert tasks.with_status(tx, "t").has_merged_attempt
    assert merges.undecided(tx, at(0)) == []


def test_the_event_is_the_record(tx: Tx) -> None:
    add_family(tx)
    keep(tx, OPEN, target="develop")
    record = sent(tx)
    assert record["type"] == "pr"
    assert record["target_branch_name"] == "develop"
    assert record["pr_info"]["status"] == "open"


def test_what_may_still_change_is_open_or_closed_lately(tx: Tx) -> None:
    add_family(tx)
    for second, status in enumerate(("closed", "closed", "unknown", "merged", "open")):
        url = f"https://github.com/o/r/pull/{second}"
        info = msgspec.structs.replace(OPEN, number=second, url=url, status=status)
        keep(tx, info, id=f"m{second}", now=at(second))
    assert [row.id for row in merges.undecided(tx, at(0))] == ["m4", "m2", "m1"]


def test_there_is_no_pull_request_without_an_attempt(tx: Tx) -> None:
    with pytest.raises(NotFound):
        keep(tx, OPEN)


def test_the_latest_landing_is_the_last_one_also_after_the_clock_was_set_back(tx: Tx) -> None:
    add_family(tx)
    for id, second in (("c", 9), ("d", 1)):
        merges.insert_direct(
            tx,
            id=id,
            attempt_id="a",
            merge_commit=id,
            target_branch_name="main",
            now=at(second),
        )
    assert merges.latest_merge(tx, "a") == ("d", None)
    keep(tx, OPEN, id="n", now=at(2))
    assert [row.id for row in merges.of_attempt(tx, "a")] == ["n", "d", "c"]
    assert merges.latest_merge(tx, "a") is None


def test_the_latest_landing_counts_unless_something_may_still_follow_it(tx: Tx) -> None:
    add_family(tx)
    assert merges.latest_merge(tx, "a") is None
    keep(tx, OPEN, now=at(1))
    assert merges.latest_merge(tx, "a") is None

    def direct(id: str, second: int, before: str | None) -> None:
        merges.insert_direct(
            tx,
            id=id,
            attempt_id="a",
            merge_commit=f"{id}{id}",
            target_before=before,
            target_branch_name="main",
            now=at(second),
        )

    direct("d", 2, "before")
    assert merges.latest_merge(tx, "a") == ("dd", "before")
    direct("e", 3, None)
    assert merges.latest_merge(tx, "a") == ("ee", None)
    keep(tx, MERGED, now=at(4))
    assert merges.latest_merge(tx, "a") == ("a" * 40, None)
    later = msgspec.structs.replace(OPEN, url="https://github.com/o/r/pull/5")
    keep(tx, later, id="n", now=at(20))
    assert merges.latest_merge(tx, "a") is None
    keep(tx, msgspec.structs.replace(later, status="closed"), now=at(21))
    assert merges.latest_merge(tx, "a") == ("a" * 40, None)
    assert merges.latest_merge(tx, "b") is None
