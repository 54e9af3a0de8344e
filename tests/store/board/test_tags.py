"""Rows of tags."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from anyond.model.errors import Conflict
from anyond.model.http.bodies import NewTag, TagPatch
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.rows import Tag
from anyond.store.board import tags
from anyond.store.engine.transaction import Tx
from tests.support.store.seeds import at


def add(tx: Tx, id: str, name: str, content: str = "c", second: int = 0) -> Tag:
    return tags.insert(tx, NewTag(tag_name=name, content=content), id, at(second))


def test_a_tag_is_found_as_it_was_written(tx: Tx) -> None:
    written = add(tx, "t", "Code-Review", "Please…", 3)
    assert written == Tag(
        id="t", tag_name="Code-Review", content="Please…", created_at=at(3), updated_at=at(3)
    )
    assert tags.get(tx, "t") == written


def test_tags_are_listed_newest_first_and_found_by_any_part_of_their_names(tx: Tx) -> None:
    for number, name in enumerate(["Größe", "code_review", "REVIEW"]):
        add(tx, str(number), name, "review me", number)
    assert [tag.id for tag in tags.fetch_all(tx)] == ["2", "1", "0"]
    assert [tag.id for tag in tags.fetch_all(tx, "")] == ["2", "1", "0"]
    assert [tag.id for tag in tags.fetch_all(tx, "Review")] == ["2", "1"]
    assert [tag.id for tag in tags.fetch_all(tx, "GRÖSS")] == ["0"]
    assert tags.fetch_all(tx, "_%") == []


@pytest.mark.parametrize("taken", ["straße", "STRASSE", "Straße"])
def test_a_name_is_taken_in_whichever_case(tx: Tx, taken: str) -> None:
    add(tx, "t", "straße")
    add(tx, "u", "other")
    with pytest.raises(Conflict) as refused:
        add(tx, "v", taken)
    assert refused.value.type == "name_taken"
    with pytest.raises(Conflict):
        tags.patch(tx, "u", TagPatch(tag_name=taken), at(1))
    assert tags.patch(tx, "t", TagPatch(tag_name=taken), at(1)).tag_name == taken


@pytest.mark.parametrize("name", ["", "two words", "a\tb", "a\u00a0b", "a@b", "a\u202eb", "a\nb"])
def test_a_name_is_one_word(tx: Tx, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(tx, "t", name)
    assert refused.value.field == "tag_name"


def test_a_patch_keeps_what_is_null_and_an_empty_content_clears(tx: Tx) -> None:
    add(tx, "t", "name", "text")
    assert tags.patch(tx, "t", TagPatch(tag_name="new"), at(1)).content == "text"
    patched = tags.patch(tx, "t", TagPatch(content=""), at(2))
    assert (patched.tag_name, patched.content) == ("new", "")
    assert (patched.created_at, patched.updated_at) == (at(0), at(2))


def test_a_deleted_tag_is_gone_and_its_name_free(tx: Tx) -> None:
    add(tx, "t", "name")
    tags.delete(tx, "t")
    add(tx, "u", "NAME", "fresh")
    assert tags.contents(tx) == {"name": "fresh"}
    attempts: tuple[Callable[[], object], ...] = (
        lambda: tags.get(tx, "t"),
        lambda: tags.delete(tx, "t"),
        lambda: tags.patch(tx, "t", TagPatch(), at(1)),
    )
    for attempt in attempts:
        with pytest.raises(NotFound, match="no tag t"):
            attempt()
