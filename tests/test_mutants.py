"""The mutation check: which faults there are, and whether tests that notice none are found."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools.mutants import survivors
from tools.mutants.groups import GROUPS, Group
from tools.mutants.mutations import mutants, mutated
from tools.mutants.progress import Progress, Result, digest

ROOT = Path(__file__).parent.parent

SOURCE = '''
"""About ages."""

FIRST = (1, "a")


class Person:
    """Not mutated."""

    age: int = 3

    def is_grown_up(self, limit: int) -> bool:
        log.info("asked", at=7)
        if self.age >= limit and not self.lies:
            self.asked = True
            return f"{1}"
        raise ValueError("no" + "body")
'''


def test_each_fault_is_named_by_its_place_and_its_change() -> None:
    assert [mutant.name for mutant in mutants(SOURCE)] == [
        "module: without `1`",
        'module: without `"a"`',
        "module: 1 → 2",
        "Person: 3 → 4",
        "Person.is_grown_up: `self.age >= limit and not self.lies`: and → or",
        "Person.is_grown_up: `self.age >= limit and not self.lies`: negated",
        "Person.is_grown_up: `self.age >= limit`: >= → >",
        "Person.is_grown_up: `not self.lies`: without not",
        "Person.is_grown_up: without `self.asked = True`",
        "Person.is_grown_up: True → False",
        'Person.is_grown_up: `return f"{1}"`: return None',
        'Person.is_grown_up: without `raise ValueError("no" + "body")`',
    ]


def test_equal_faults_of_one_function_are_numbered() -> None:
    names = [mutant.name for mutant in mutants("def f():\n    g(1)\n    g(1)\n")]
    assert names == [
        "f: without `g(1)`",
        "f: 1 → 2",
        "f: without `g(1)` (2)",
        "f: 1 → 2 (2)",
    ]


@pytest.mark.parametrize(
    "file", sorted({file for group in GROUPS for file in group.files()}, key=str)
)
def test_each_mutant_of_what_is_checked_is_another_program_that_compiles(file: Path) -> None:
    source = (ROOT / file).read_text()
    original = ast.dump(ast.parse(source))
    found = mutants(source)
    assert len({mutant.name for mutant in found}) == len(found)
    for mutant in found[:: max(1, len(found) // 10)]:
        tree = mutated(source, mutant.name)
        assert ast.dump(tree) != original, mutant
        compile(tree, str(file), "exec")


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_modules_and_tests_of_a_group_are_there(group: Group) -> None:
    named = (*group.modules, *group.without, *group.tests)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_a_fault_is_made_once_and_nothing_else_changes() -> None:
    tree = mutated("def f():\n    g(1)\n    g(1)\n", "f: without `g(1)` (2)")
    assert ast.unparse(tree) == "def f():\n    g(1)\n    pass"
    with pytest.raises(ValueError, match="no mutant"):
        mutated("x = 1", "module: 2 → 3")


def test_every_survivor_of_the_list_is_a_mutant_of_what_is_checked() -> None:
    there = {
        f"{file}:{mutant.name}"
        for group in GROUPS
        for file in group.files()
        for mutant in mutants((ROOT / file).read_text())
    }
    assert set(survivors.read()) - there == set()


def test_a_survivor_without_a_reason_is_not_taken(tmp_path: Path) -> None:
    listed = tmp_path / "list.toml"
    listed.write_text('[[because]]\nreason = " "\nmutants = ["x"]\n')
    with pytest.raises(ValueError, match="no reason"):
        survivors.read(listed)


def test_what_survived_is_tried_again_when_tests_have_changed(tmp_path: Path) -> None:
    file = tmp_path / "progress.jsonl"
    first = Progress(file, "tests")
    first.add("a", "source", Result.SURVIVED)
    first.add("b", "source", Result.KILLED)
    same, other = Progress(file, "tests"), Progress(file, "other tests")
    assert (same.result("a", "source"), same.result("b", "source")) == (
        Result.SURVIVED,
        Result.KILLED,
    )
    assert (other.result("a", "source"), other.result("b", "source")) == (None, Result.KILLED)
    assert same.result("b", "other source") is None


CHECK = """
import argparse, sys
from tools.mutants import survivors, trial
from tools.mutants.__main__ import check
from tools.mutants.groups import Group
trial.prepare()
options = argparse.Namespace(module=None, sample=None, seed=1, again=False)
known = {"ages.py:never: `return 7`: return None": None, "ages.py:gone: x": None}
for line in check(Group("ages", ("ages.py",), ("test_ages.py",)), known, options):
    print(line)
"""


def test_a_check_finds_the_faults_that_tests_do_not_notice(tmp_path: Path) -> None:
    (tmp_path / "ages.py").write_text(
        "def grown(age):\n    return age >= 18\n\n\ndef never():\n    return 7\n"
    )
    (tmp_path / "test_ages.py").write_text(
        "import ages\n\n\ndef test_ages():\n    assert ages.grown(19) is True\n"
        "    assert ages.grown(3) is False\n"
    )
    checked = subprocess.run(
        [sys.executable, "-c", CHECK],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert checked.stdout, checked.stderr
    table, *wrong = checked.stdout.splitlines()
    assert table == "| ages | 5 | 5 | 1 | 20% | 1 | 3 | 1 |", checked.stderr
    assert wrong == [
        "survives, not in the list (survived): ages.py:grown: 18 → 19",
        "survives, not in the list (survived): ages.py:grown: `age >= 18`: >= → >",
        "survives, not in the list (not reached): ages.py:never: 7 → 8",
        "in the list, but there is none: ages.py:gone: x",
        "ages: 1 of 5 are fewer than 85%",
    ]
    assert digest(tmp_path / "ages.py") in (tmp_path / "build/mutants/ages.jsonl").read_text()
