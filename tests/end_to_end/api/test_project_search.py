"""Files of a project are found by their names, those first that matter most."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.daemon import Daemon, Refused


async def search(daemon: Daemon, project: dict[str, Any], query: str) -> list[dict[str, Any]]:
    path = f"/api/projects/{project['id']}/search?{query}"
    return await daemon.ask("GET", path)  # type: ignore[no-any-return]


async def test_the_best_match_comes_first_and_then_what_changes_most(daemon: Daemon) -> None:
    repository = daemon.repository(
        **{"src__cold_tea.py": "1", "src__hot_tea.py": "1", "tea__x.py": "1", "tea__a__y.py": "1"}
    )
    for number in range(2):
        (repository / "src" / "hot_tea.py").write_text(f"{number} again")
        daemon.git(repository, "commit", "-qam", "More")
    project = await daemon.project(repository)
    found = await search(daemon, project, "q=TEA&mode=TaskForm")
    assert [(f["path"], f["is_file"], f["match_type"]) for f in found] == [
        ("src/hot_tea.py", True, "FileName"),
        ("src/cold_tea.py", True, "FileName"),
        ("tea", False, "FileName"),
        ("tea/x.py", True, "DirectoryName"),
        ("tea/a", False, "DirectoryName"),
        ("tea/a/y.py", True, "FullPath"),
    ]
    for _ in range(3):
        (repository / "src" / "cold_tea.py").write_text(f"{_} changed")
        daemon.git(repository, "commit", "-qam", "Even more")
    assert (await search(daemon, project, "q=tea"))[0]["path"] == "src/cold_tea.py"


async def test_what_is_new_gone_or_ignored_is_known_at_once(daemon: Daemon) -> None:
    repository = daemon.repository(**{"one.txt": "1", ".gitignore": "*.env\nbuild/\n"})
    (repository / "local.env").write_text("SECRET=1")
    (repository / "build" / "deep").mkdir(parents=True)
    (repository / "build" / "deep" / "out.txt").write_text("x")
    project = await daemon.project(repository)

    async def paths(query: str) -> list[str]:
        return sorted(f["path"] for f in await search(daemon, project, query))

    assert await paths("q=txt") == ["one.txt"]
    assert await paths("q=env") == []
    assert await paths("q=env&mode=Settings") == ["local.env"]
    assert await paths("q=txt&mode=Settings") == ["build/deep/out.txt", "one.txt"]
    (repository / "two.txt").write_text("2")
    assert await paths("q=txt") == ["one.txt", "two.txt"]
    (repository / "one.txt").unlink()
    assert await paths("q=txt") == ["two.txt"]
    (repository / "build" / "deep" / "more.txt").write_text("y")
    assert await paths("q=more&mode=Settings") == ["build/deep/more.txt"]


async def test_bad_questions_are_refused_by_name(daemon: Daemon) -> None:
    project = await daemon.project()
    for query, field in (("", "q"), ("q=", "q"), ("q=%20", "q"), ("q=x&mode=Other", "mode")):
        with pytest.raises(Refused, match=f"'field': '{field}'") as refusal:
            await search(daemon, project, query)
        assert refusal.value.status == 400
    with pytest.raises(Refused) as refusal:
        await search(daemon, {"id": "00000000-0000-4000-8000-000000000000"}, "q=x")
    assert refusal.value.status == 404
    assert await search(daemon, project, "q=nothing-like-this") == []


async def test_a_repository_that_is_gone_is_an_error_and_is_found_again(daemon: Daemon) -> None:
    repository = daemon.repository()
    project = await daemon.project(repository)
    assert len(await search(daemon, project, "q=readme")) == 1
    elsewhere = repository.rename(repository.with_name("elsewhere"))
    with pytest.raises(Refused, match="project"):
        await search(daemon, project, "q=readme")
    elsewhere.rename(repository)
    assert len(await search(daemon, project, "q=readme")) == 1
