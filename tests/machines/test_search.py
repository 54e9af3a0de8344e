"""What a person probably means comes first."""

from __future__ import annotations

from anyond.machines.search import PathIndex
from anyond.model.http.search import MatchType

NAME, PARENT, PATH = MatchType.FILE_NAME, MatchType.DIRECTORY_NAME, MatchType.FULL_PATH


def found(index: PathIndex, text: str, most: int = 100) -> list[tuple[str, MatchType]]:
    return list(index.find(text, most))


def test_a_name_counts_more_than_its_directory_and_that_more_than_the_rest() -> None:
    index = PathIndex(["tea/pot/lid.py", "pot/x/y.py", "teapot.py"], [], {})
    assert found(index, "pot") == [
        ("teapot.py", NAME),
        ("pot", NAME),
        ("tea/pot", NAME),
        ("tea/pot/lid.py", PARENT),
        ("pot/x", PARENT),
        ("pot/x/y.py", PATH),
    ]


def test_what_changes_often_comes_first_and_then_what_changed_lately() -> None:
    ranks = {"b.py": (9, 100), "c.py": (2, 500), "d.py": (2, 900)}
    index = PathIndex(["a.py", "b.py", "c.py", "d.py", "long/a.py"], [], ranks)
    assert [path for path, _ in found(index, ".py")] == [
        "b.py",
        "d.py",
        "c.py",
        "a.py",
        "long/a.py",
    ]


def test_a_directory_is_as_important_as_the_best_in_it() -> None:
    ranks = {"hot/deep/x": (5, 1), "cold/x": (1, 1)}
    index = PathIndex(["cold/x", "hot/deep/x"], [], ranks)
    assert [path for path, _ in found(index, "o")][:3] == ["hot", "cold", "hot/deep"]


def test_directories_of_their_own_and_all_above_them_are_found() -> None:
    index = PathIndex([], ["node_modules/left-pad"], {})
    assert [path for path, _ in found(index, "node")] == ["node_modules", "node_modules/left-pad"]


def test_of_directories_that_are_equally_important_the_shortest_path_comes_first() -> None:
    index = PathIndex([], ["long", "s"], {})
    assert [path for path, _ in found(index, "")] == ["s", "long"]


def test_cases_do_not_matter_and_slashes_are_part_of_a_path() -> None:
    index = PathIndex(["Src/Größe/Index.TS"], [], {})
    assert ("Src/Größe/Index.TS", NAME) in found(index, "index.ts")
    assert ("Src/Größe/Index.TS", PARENT) in found(index, "GRÖSSE".replace("SS", "ß"))
    assert found(index, "größe/i") == [("Src/Größe/Index.TS", PATH)]
    assert found(index, "nothing") == []


def test_no_more_than_can_be_used_is_looked_for() -> None:
    index = PathIndex([f"a/b/{n}" for n in range(500)], [], {})
    kinds = [kind for _, kind in found(index, "a", 7)]
    assert kinds == [NAME] + [PARENT] + [PATH] * 7
    assert len(found(index, "1", 7)) == 7
