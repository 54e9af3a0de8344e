"""Faults that are put into functions that are imported already."""

from __future__ import annotations

import ast
import gc
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.mutants.mutations import mutants, mutated
from tools.mutants.patches import changed_functions, living_functions, patch

SOURCE = """
import functools

LIMIT = 3
SQUARES = [n * 2 for n in range(LIMIT)]


def twice(function):
    @functools.wraps(function)
    def inner(value):
        return function(value) + 1

    return inner


@twice
def more(value, step=5):
    return value + step


class Kettle:
    size = 7

    def fill(self):
        if self.size > 7:
            return False
        return any(part > 2 for part in SQUARES)
"""


@pytest.fixture
def module(tmp_path: Path) -> Iterator[types.ModuleType]:
    path = str(tmp_path / "kettle.py")
    found = types.ModuleType("kettle")
    exec(compile(SOURCE, path, "exec"), found.__dict__)
    found.__file__ = path
    sys.modules["kettle"] = found
    yield found
    del sys.modules["kettle"]
    del found
    gc.collect()


def apply(module: types.ModuleType, name: str) -> bool | None:
    """Whether a fault was put in; None if that is not possible without an import."""
    path = str(module.__file__)
    codes = changed_functions(path, SOURCE, mutated(SOURCE, name))
    return None if codes is None else patch(codes, living_functions({path}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("more: `value + step`: + → -", -2),
        ("twice.inner: 1 → 2", 9),  # the function that was decorated lives as a closure
        ("twice.inner: `function(value) + 1`: + → -", 6),
    ],
)
def test_whoever_has_imported_or_decorated_a_function_sees_the_fault(
    module: types.ModuleType, name: str, value: int
) -> None:
    more = module.more
    assert more(2) == 8
    assert apply(module, name)
    assert more(2) == value


def test_a_method_and_what_is_inside_of_it_is_changed_for_objects_that_are_there(
    module: types.ModuleType,
) -> None:
    kettle = module.Kettle()
    assert kettle.fill() is True
    assert apply(module, "Kettle.fill: `part > 2`: > → >=")
    assert apply(module, "Kettle.fill: `self.size > 7`: > → >=")
    assert kettle.fill() is False


def test_what_happens_during_an_import_cannot_be_changed_afterwards() -> None:
    names = [mutant.name for mutant in mutants(SOURCE)]
    cold = [
        name for name in names if changed_functions("x.py", SOURCE, mutated(SOURCE, name)) is None
    ]
    assert cold == [
        "module: 3 → 4",
        "module: `n * 2`: * → //",
        "module: 2 → 3",
        "more: 5 → 6",
        "Kettle: 7 → 8",
    ]


def test_a_function_that_is_not_there_is_not_patched(module: types.ModuleType) -> None:
    tree = ast.parse(SOURCE.replace("value + step", "value - step"))
    codes = changed_functions("elsewhere.py", SOURCE, tree)
    assert codes is not None
    assert not patch(codes, living_functions({str(module.__file__)}))
    assert module.more(2) == 8
