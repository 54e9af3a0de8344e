"""Rows of images, and which tasks show them."""

from __future__ import annotations

import pytest

from anyond.model.errors import Conflict
from anyond.model.http.bodies import NewTask, TaskPatch
from anyond.model.ids import now
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import Image
from anyond.store.board import images, projects, tasks
from anyond.store.engine.transaction import Tx
from tests.support.store.seeds import add_project, add_task, at


def add(tx: Tx, id: str, hash: str = "", name: str = "shot.png", second: int = 0) -> Image:
    hash = hash or id
    return images.insert(
        tx,
        id=id,
        file_name=f"{hash}.png",
        original_name=name,
        mime_type="image/png",
        size_bytes=7,
        hash=f"sha256:{hash}",
        now=at(second),
    )


def displayed(tx: Tx, task: str = "t") -> list[str]:
    return [image.id for image in images.of_task(tx, task)]


@pytest.fixture(autouse=True)
def family(tx: Tx) -> None:
    add_project(tx)
    add_task(tx, "t")
    add_task(tx, "u")


def test_the_same_bytes_are_one_image(tx: Tx) -> None:
    first = add(tx, "a", "h", "first.png", 1)
    assert first.file_path == ".vibe/images/h.png"
    assert images.file_name(first) == "h.png"
    assert add(tx, "b", "h", "first.png", 2) == first


def test_a_second_upload_gives_a_new_name_only_while_nobody_knows_the_old_one(tx: Tx) -> None:
    add(tx, "a", "h", "first.png", 1)
    assert add(tx, "b", "h", "second.png", 2).original_name == "second.png"
    images.link(tx, "t", ["a"], at(3))
    assert add(tx, "c", "h", "third.png", 4).original_name == "second.png"


def test_tasks_are_made_with_images_and_show_them_in_their_order(tx: Tx) -> None:
    add(tx, "a")
    add(tx, "b")
    tasks.insert(tx, NewTask(project_id="p", title="T", image_ids=["b", "a", "b"]), "new", at(1))
    assert displayed(tx, "new") == ["b", "a"]


def test_a_patch_of_a_task_replaces_its_images_or_keeps_them(tx: Tx) -> None:
    for id in "abc":
        add(tx, id)
    tasks.patch(tx, "t", TaskPatch(image_ids=["a", "b"]), at(1))
    tasks.patch(tx, "t", TaskPatch(title="New"), at(2))
    assert displayed(tx) == ["a", "b"]
    tasks.patch(tx, "t", TaskPatch(image_ids=["c", "b"]), at(3))
    assert displayed(tx) == ["b", "c"]
    tasks.patch(tx, "t", TaskPatch(image_ids=[]), at(4))
    assert displayed(tx) == []


def test_an_unknown_image_is_not_found(tx: Tx) -> None:
    for attempt in (
        lambda: images.get(tx, "x"),
        lambda: images.delete(tx, "x"),
        lambda: images.link(tx, "t", ["x"], at(1)),
        lambda: tasks.patch(tx, "t", TaskPatch(image_ids=["x"]), at(1)),
        lambda: tasks.insert(tx, NewTask(project_id="p", title="T", image_ids=["x"]), "n", at(1)),
    ):
        with pytest.raises(NotFound, match="no image x"):
            attempt()


def test_an_image_of_several_tasks_is_deleted_only_by_force(tx: Tx) -> None:
    add(tx, "a")
    images.link(tx, "t", ["a"], at(1))
    images.link(tx, "u", ["a"], at(1))
    with pytest.raises(Conflict) as refused:
        images.delete(tx, "a")
    assert refused.value.data is not None
    assert (refused.value.type, refused.value.data["task_ids"]) == ("image_in_use", ["t", "u"])
    images.delete(tx, "a", force=True)
    assert displayed(tx) == displayed(tx, "u") == []


def test_an_image_of_one_task_is_deleted_from_it(tx: Tx) -> None:
    add(tx, "a")
    images.link(tx, "t", ["a"], at(1))
    images.delete(tx, "a")
    assert displayed(tx) == []


def test_what_nobody_uses_goes_after_its_time(tx: Tx) -> None:
    for id in "abc":
        add(tx, id, second=1)
    images.link(tx, "t", ["a"], at(2))
    add(tx, "again", "b", second=9)
    assert images.delete_unused(tx, at(5), 1) == []
    assert images.delete_unused(tx, at(5), 2) == []
    assert [image.id for image in images.delete_unused(tx, at(5), 3)] == ["c"]
    assert images.file_names(tx) == {"a.png", "b.png"}


@pytest.mark.parametrize("go", ["task", "project", "patch"])
def test_an_image_that_a_task_lets_go_of_is_kept_for_a_while(tx: Tx, go: str) -> None:
    add(tx, "a", second=1)
    images.link(tx, "t", ["a"], at(2))
    before = now()
    if go == "task":
        tasks.delete(tx, "t", at(3))
    elif go == "project":
        projects.delete(tx, "p", at(3))
    else:
        tasks.patch(tx, "t", TaskPatch(image_ids=[]), at(3))
    assert images.delete_unused(tx, before, 1) == []
    assert images.delete_unused(tx, before, 3) == []
    assert [image.id for image in images.delete_unused(tx, "9", 3)] == ["a"]
