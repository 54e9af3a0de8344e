"""Rows of projects."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from anyond.model.errors import Conflict
from anyond.model.http.bodies import NewProject, ProjectPatch
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.rows import Project
from anyond.store.board import projects, tasks
from anyond.store.engine.transaction import Tx
from tests.support.store.seeds import add_attempt, add_process, add_project, add_task, at, emitted


def test_a_project_is_found_as_it_was_written(tx: Tx) -> None:
    new = NewProject(
        name="Ünïcode",
        git_repo_path="/r",
        use_existing_repo=True,
        setup_script="make",
        dev_script="",
        copy_files=".env",
    )
    written = projects.insert(tx, new, "p", at(1))
    assert written == Project(
        id="p",
        name="Ünïcode",
        git_repo_path="/r",
        setup_script="make",
        copy_files=".env",
        created_at=at(1),
        updated_at=at(1),
    )
    assert projects.get(tx, "p") == projects.by_path(tx, "/r") == written
    assert projects.by_path(tx, "/R") is None
    assert emitted(tx) == []


def test_projects_are_listed_newest_first_and_ties_by_insertion(tx: Tx) -> None:
    for id, second in (("a", 5), ("b", 9), ("c", 5)):
        add_project(tx, id, at(second))
    assert [project.id for project in projects.fetch_all(tx)] == ["b", "c", "a"]


def test_a_patch_keeps_what_is_absent_and_clears_what_is_empty(tx: Tx) -> None:
    add_project(tx)
    first = ProjectPatch(setup_script="s", dev_script="d", cleanup_script="c", copy_files="f")
    projects.patch(tx, "p", first, at(1))
    second = ProjectPatch(name="New", dev_script="", copy_files="")
    assert projects.patch(tx, "p", second, at(2)) == projects.get(tx, "p")
    found = projects.get(tx, "p")
    assert (found.name, found.git_repo_path) == ("New", "/repositories/p")
    assert (found.setup_script, found.cleanup_script) == ("s", "c")
    assert (found.dev_script, found.copy_files) == (None, None)
    assert (found.created_at, found.updated_at) == (at(0), at(2))


@pytest.mark.parametrize(
    ("patch", "field"),
    [(ProjectPatch(name=""), "name"), (ProjectPatch(git_repo_path=" "), "git_repo_path")],
)
def test_a_project_keeps_a_name_and_a_path(tx: Tx, patch: ProjectPatch, field: str) -> None:
    add_project(tx)
    with pytest.raises(Invalid) as refused:
        projects.patch(tx, "p", patch, at(1))
    assert refused.value.field == field


def test_a_repository_belongs_to_one_project(tx: Tx) -> None:
    add_project(tx, "p")
    add_project(tx, "q")
    taken = NewProject(name="again", git_repo_path="/repositories/p", use_existing_repo=True)
    with pytest.raises(Conflict, match="already belongs to the project p") as refused:
        projects.insert(tx, taken, "r", at(1))
    assert refused.value.data is not None
    assert refused.value.data["project_id"] == "p"
    with pytest.raises(Conflict):
        projects.patch(tx, "q", ProjectPatch(git_repo_path="/repositories/p"), at(1))
    projects.patch(tx, "q", ProjectPatch(git_repo_path="/repositories/q"), at(1))


def test_deleting_a_project_tells_of_each_of_its_tasks_and_takes_all_with_it(tx: Tx) -> None:
    add_project(tx, "p")
    add_project(tx, "other")
    add_task(tx, "t", "p")
    add_attempt(tx, "a", "t")
    add_process(tx)
    add_task(tx, "u", "p", parent="a")
    add_task(tx, "stays", "other", parent="a")
    emitted(tx)
    assert projects.delete(tx, "p", at(9)).id == "p"
    assert emitted(tx) == [
        ("task_updated", "stays"),
        ("task_deleted", "u"),
        ("task_deleted", "t"),
    ]
    assert tasks.get(tx, "stays").parent_task_attempt is None
    assert [project.id for project in projects.fetch_all(tx)] == ["other"]
    assert tx.execute("SELECT COUNT(*) FROM execution_processes").fetchone() == (0,)


def test_an_unknown_project_is_not_found(tx: Tx) -> None:
    tries: tuple[Callable[[], object], ...] = (
        lambda: projects.get(tx, "p"),
        lambda: projects.patch(tx, "p", ProjectPatch(), at(1)),
        lambda: projects.delete(tx, "p", at(1)),
    )
    for attempt in tries:
        with pytest.raises(NotFound, match="no project p"):
            attempt()
