"""The list of what git operations promise is complete, and names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache

from tests.support.paths import ROOT

LIST = ROOT / "docs" / "git-promises.md"
# Of each of these there are at least so many; all are numbered without a gap.
LEAST = {"A": 29, "B": 29, "C": 2, "D": 5, "E": 12, "F": 8, "J": 8}


@cache
def defined_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = (
        node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return frozenset(node.name for node in functions)


def promises() -> dict[str, list[tuple[str, str]]]:
    """The tests of each promise: file and name."""
    rows = re.findall(r"^\| ([A-Z]\d+) \| .+ \| (.+) \|$", LIST.read_text("utf-8"), re.MULTILINE)
    numbers = [number for number, _ in rows]
    assert len(set(numbers)) == len(numbers), "a number stands for one promise"
    return {number: re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", cell) for number, cell in rows}


def test_no_promise_is_missing() -> None:
    found: dict[str, list[int]] = {}
    for number in promises():
        found.setdefault(number[0], []).append(int(number[1:]))
    assert list(found) == sorted(found)
    for letter, numbers in found.items():
        assert numbers == list(range(1, len(numbers) + 1)), letter
    for letter, least in LEAST.items():
        assert len(found[letter]) >= least, letter


def test_each_promise_has_a_test_that_exists() -> None:
    for number, tests in promises().items():
        assert tests, number
        for file, name in tests:
            assert name in defined_in(file), (number, file, name)
