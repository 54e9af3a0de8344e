"""A draft's versions never repeat, and what is sent is kept until it is certain that it was."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.model.drafts import DraftPatch, DraftType, QueueWish
from anyond.model.errors import Conflict
from anyond.model.refusals.requests import Impossible, Invalid, NotFound
from anyond.model.rows import RunReason
from anyond.store.board import drafts, images, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes
from tests.support.store.seeds import (
    add_attempt,
    add_family,
    add_process,
    at,
    emitted,
    end_process,
    sent,
)

FOLLOW_UP, RETRY = DraftType.FOLLOW_UP, DraftType.RETRY


def add_image(tx: Tx, id: str = "i") -> None:
    images.insert(
        tx,
        id=id,
        file_name=f"{id}.png",
        original_name="tea.png",
        mime_type="image/png",
        size_bytes=1,
        hash=f"sha256:{id}",
        now=at(0),
    )


def save(tx: Tx, type: DraftType = FOLLOW_UP, **patch: Any) -> Any:
    return drafts.save(tx, "a", type, DraftPatch(**patch), at(5))


def queue(tx: Tx, **request: Any) -> Any:
    return drafts.queue(tx, "a", QueueWish(**request), at(6))


def test_without_a_draft_there_is_an_empty_one_of_version_0(tx: Tx) -> None:
    add_family(tx)
    empty = drafts.get(tx, "a", FOLLOW_UP)
    assert (empty.prompt, empty.version, empty.queued, empty.image_ids) == ("", 0, False, [])
    assert drafts.get(tx, "a", FOLLOW_UP) == empty
    with pytest.raises(NotFound):
        drafts.get(tx, "nobody", FOLLOW_UP)


def test_what_is_absent_is_kept_and_null_clears(tx: Tx) -> None:
    add_family(tx)
    add_image(tx)
    save(tx, prompt="x", variant="PLAN", image_ids=["i"])
    saved = save(tx, prompt="y")
    assert (saved.prompt, saved.variant, saved.image_ids, saved.version) == ("y", "PLAN", ["i"], 2)
    cleared = save(tx, prompt=None, variant=None, image_ids=None)
    assert (cleared.prompt, cleared.variant, cleared.image_ids) == ("", None, [])
    assert save(tx) == cleared
    assert emitted(tx) == [("draft_updated", saved.id)] * 3


def test_the_images_of_a_draft_are_shown_by_its_task(tx: Tx) -> None:
    add_family(tx)
    with pytest.raises(NotFound):
        save(tx, prompt="x", image_ids=["i"])
    add_image(tx)
    save(tx, prompt="x", image_ids=["i"])
    assert [image.id for image in images.of_task(tx, "t")] == ["i"]


def test_a_stale_version_is_refused_with_the_draft_as_it_is(tx: Tx) -> None:
    add_family(tx)
    save(tx, prompt="one", version=0)
    current = save(tx, prompt="two", version=1)
    for body in ({"prompt": "three", "version": 1}, {"version": 0}):
        with pytest.raises(Conflict) as refusal:
            save(tx, **body)
        assert refusal.value.type == "stale_draft"
        assert refusal.value.data is not None
        assert refusal.value.data["draft"]["prompt"] == "two"
    assert drafts.get(tx, "a", FOLLOW_UP) == current


def test_the_first_draft_of_all_may_begin_with_any_version(tx: Tx) -> None:
    add_family(tx)
    assert save(tx, prompt="one", version=1).version == 1
    assert save(tx, prompt="two", version=1).version == 2


def test_versions_do_not_start_again_after_a_deletion(tx: Tx) -> None:
    add_family(tx)
    save(tx, prompt="old")
    drafts.delete(tx, "a", FOLLOW_UP, at(6))
    drafts.delete(tx, "a", FOLLOW_UP, at(7))
    assert drafts.get(tx, "a", FOLLOW_UP).version == 0
    assert emitted(tx) == [("draft_updated", drafts.get(tx, "a", FOLLOW_UP).id)] * 2
    new = save(tx, prompt="new", version=0)
    assert new.version > 1
    with pytest.raises(Conflict):
        save(tx, prompt="from an old window", version=1)


def test_a_queued_draft_cannot_be_changed_until_it_is_taken_back(tx: Tx) -> None:
    add_family(tx)
    save(tx, prompt="x")
    assert queue(tx).queued
    assert drafts.attempts_with_queued(tx) == ["a"]
    assert queue(tx).version == 2
    with pytest.raises(Conflict) as refusal:
        save(tx, prompt="y")
    assert refusal.value.type == "draft_queued"
    assert not queue(tx, queued=False).queued
    assert save(tx, prompt="y").prompt == "y"
    assert drafts.attempts_with_queued(tx) == []


def test_nothing_and_blanks_cannot_be_queued(tx: Tx) -> None:
    add_family(tx)
    for _ in range(2):
        with pytest.raises(Conflict) as refusal:
            queue(tx)
        assert refusal.value.type == "empty_draft"
        save(tx, prompt=" \n\t")
    assert not queue(tx, queued=False).queued


def test_queueing_can_depend_on_what_the_client_has_seen(tx: Tx) -> None:
    add_family(tx)
    save(tx, prompt="x")
    for request in ({"expected_version": 0}, {"expected_queued": True}):
        with pytest.raises(Conflict) as refusal:
            queue(tx, **request)
        assert refusal.value.type == "stale_draft"
    assert queue(tx, expected_version=1, expected_queued=False).queued


def test_a_taken_draft_is_empty_and_keeps_its_variant(tx: Tx) -> None:
    add_family(tx)
    add_image(tx)
    save(tx, prompt="x", variant="PLAN", image_ids=["i"])
    queue(tx)
    add_process(tx)
    tx.facts.clear()
    drafts.take(tx, "a", "x", at(7))
    assert (sent(tx, 0)["sending"], sent(tx, 0)["prompt"]) == (True, "x")
    assert (sent(tx, 1)["sending"], sent(tx, 1)["prompt"], sent(tx, 1)["queued"]) == (
        False,
        "",
        False,
    )
    displayed = drafts.get(tx, "a", FOLLOW_UP)
    assert (displayed.prompt, displayed.variant, displayed.image_ids, displayed.version) == (
        "",
        "PLAN",
        [],
        3,
    )
    assert drafts.queued(tx, "a") is None
    fresh = save(tx, variant=None)
    assert (fresh.prompt, fresh.image_ids) == ("", [])


def test_a_draft_comes_back_unqueued_if_its_process_never_started(tx: Tx) -> None:
    add_family(tx)
    add_image(tx)
    save(tx, prompt="x", image_ids=["i"])
    queue(tx)
    add_process(tx)
    drafts.take(tx, "a", "x", at(7))
    drafts.give_back(tx, "another", at(8))
    assert drafts.get(tx, "a", FOLLOW_UP).prompt == ""
    drafts.give_back(tx, "x", at(8))
    back = drafts.get(tx, "a", FOLLOW_UP)
    assert (back.prompt, back.image_ids, back.queued, back.version) == ("x", ["i"], False, 4)


def test_what_was_written_meanwhile_is_not_replaced_by_what_comes_back(tx: Tx) -> None:
    add_family(tx)
    save(tx, prompt="x")
    add_process(tx)
    drafts.take(tx, "a", "x", at(7))
    save(tx, prompt="newer")
    drafts.give_back(tx, "x", at(8))
    assert drafts.get(tx, "a", FOLLOW_UP).prompt == "newer"


def test_a_retry_names_a_run_of_the_agent_in_the_same_attempt(tx: Tx) -> None:
    add_family(tx)
    with pytest.raises(Invalid):
        save(tx, RETRY, prompt="x")
    with pytest.raises(NotFound):
        save(tx, RETRY, prompt="x", retry_process_id="nothing")
    add_process(tx, "dev", reason=RunReason.DEV_SERVER)
    add_attempt(tx, "b")
    add_process(tx, "other", attempt="b")
    for wrong in ("dev", "other"):
        with pytest.raises(Impossible):
            save(tx, RETRY, prompt="x", retry_process_id=wrong)
    add_process(tx)
    assert save(tx, RETRY, prompt="x", retry_process_id="x").retry_process_id == "x"
    assert save(tx, RETRY, prompt="y").retry_process_id == "x"
    assert drafts.get(tx, "a", FOLLOW_UP).version == 0


def test_a_retry_goes_with_the_process_that_it_would_start_again_from(tx: Tx) -> None:
    add_family(tx)
    add_process(tx)
    end_process(tx)
    save(tx, RETRY, prompt="x", retry_process_id="x")
    processes.drop_from(tx, "a", "x", at(9))
    assert drafts.get(tx, "a", RETRY).version == 0
    with pytest.raises(Conflict):
        save(tx, RETRY, prompt="x", retry_process_id="x")


def test_drafts_of_a_project_are_those_that_are_kept_and_go_with_their_task(tx: Tx) -> None:
    add_family(tx)
    add_attempt(tx, "b")
    save(tx, prompt="x")
    drafts.save(tx, "b", FOLLOW_UP, DraftPatch(prompt="y"), at(6))
    drafts.delete(tx, "b", FOLLOW_UP, at(7))
    assert [draft.prompt for draft in drafts.of_project(tx, "p")] == ["x"]
    assert drafts.of_project(tx, "q") == []
    tasks.delete(tx, "t", at(8))
    assert drafts.of_project(tx, "p") == []


def test_what_nobody_was_told_comes_after_what_was_written_meanwhile(tx: Tx) -> None:
    add_family(tx)
    drafts.keep(tx, "a", "unsaid", at(7))
    assert drafts.get(tx, "a", FOLLOW_UP).prompt == "unsaid"
    save(tx, prompt="written")
    drafts.keep(tx, "a", "unsaid", at(8))
    found = drafts.get(tx, "a", FOLLOW_UP)
    assert (found.prompt, found.queued) == ("written\n\nunsaid", False)
    assert emitted(tx)[-1][0] == "draft_updated"


def test_a_run_that_takes_the_place_of_another_has_sent_its_draft(tx: Tx) -> None:
    add_family(tx)
    save(tx, prompt="Go on")
    add_process(tx, "x")
    drafts.take(tx, "a", "x", at(7))
    end_process(tx, "x")
    add_process(tx, "y")
    drafts.pass_on(tx, "x", "y")
    drafts.give_back(tx, "x", at(8))
    assert drafts.get(tx, "a", FOLLOW_UP).prompt == ""
    drafts.give_back(tx, "y", at(9))
    assert drafts.get(tx, "a", FOLLOW_UP).prompt == "Go on"
