"""Choosing the tests of a mutant, their order and how long they may take, and the way to try it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.mutants.mutations import Mutant, mutated, span
from tools.mutants.patches import changed_functions
from tools.mutants.progress import Result
from tools.mutants.reach import Reach, measure
from tools.mutants.trial import Trial, attempt_cold
from tools.mutants.warm import Warm


class Chooser:
    """Tries the mutants of some modules with the tests that reach them.

    Args:
        tests: files and folders of tests.
        sources: the texts of the modules by their paths.
        remembered: a folder for what tests reach.

    Raises:
        RuntimeError: the tests fail without a fault.
    """

    def __init__(self, tests: Sequence[str], sources: Mapping[str, str], remembered: Path) -> None:
        modules = [Path(path) for path in sources]
        self._tests = tests
        self._sources = sources
        self._modules = modules
        self._reach: Reach = measure(tests, modules, remembered)
        self._warm: Warm | None = None
        self._kills: Counter[tuple[str, str]] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._warm is not None:
            self._warm.__exit__(kind, error, traceback)

    def attempt(self, path: str, mutant: Mutant) -> Trial:
        """Run the tests that can notice a mutant until one does.

        Args:
            path: its module, one of those that this was made with.
        """
        file = str(Path(path).resolve())
        lines = range(mutant.lines[0], mutant.lines[1] + 1)
        imported = self._reach.is_imported(file, lines)
        reached = self._imported(path, mutant) if imported else self._reach.tests(file, lines)
        if not reached:
            return Trial(Result.NOT_REACHED)
        function = f"{path}:{mutant.name.split(':')[0]}"
        tests = self._in_order(reached, function, path)
        tree = mutated(self._sources[path], mutant.name)
        codes = None if imported else changed_functions(file, self._sources[path], tree)
        tried: Trial | None = None
        if codes is not None:
            if self._warm is None:
                self._warm = Warm(self._tests, self._modules)
            tried = self._warm.attempt(codes, tests)
        if tried is None:
            module = path.removesuffix(".py").replace("/", ".")
            spared = [self._warm.pid] if self._warm is not None else []
            tried = attempt_cold(module, Path(file), tree, tests, spared)
        if tried.result is Result.KILLED:
            self._kills.update([(function, tried.test), (path, tried.test)])
        return tried

    def _imported(self, path: str, mutant: Mutant) -> set[str]:
        """The tests that can notice what happens during an import."""
        constant = _constant(self._sources[path], mutant)
        if constant is None or self._is_used_elsewhere(path, constant):
            return set(self._reach.seconds)
        tree = ast.parse(self._sources[path])
        used = {n.lineno for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == constant}
        used -= set(range(mutant.lines[0], mutant.lines[1] + 1))
        file = str(Path(path).resolve())
        if self._reach.is_imported(file, used):
            return set(self._reach.seconds)
        # A line of a statement over several is not always one that is executed by itself.
        heads = [span(node) for node in ast.walk(tree) if isinstance(node, ast.stmt)]
        around = [range(a, b + 1) for a, b in heads if any(a <= line <= b for line in used)]
        return self._reach.tests(file, chain.from_iterable(around))

    def _is_used_elsewhere(self, path: str, name: str) -> bool:
        top = Path(path).parts[0]
        return any(
            name in file.read_text() for file in Path(top).rglob("*.py") if str(file) != path
        )

    def _in_order(self, tests: set[str], function: str, path: str) -> dict[str, float]:
        """Those first that have noticed faults in the same function or module, then the fastest."""

        def rank(test: str) -> tuple[int, int, float, str]:
            kills = self._kills
            return -kills[function, test], -kills[path, test], self._reach.seconds[test], test

        # A machine is busy at times; what hangs takes much more than five times as long.
        return {test: 8 + 5 * self._reach.seconds[test] for test in sorted(tests, key=rank)}


def _constant(source: str, mutant: Mutant) -> str | None:
    """The name of the constant of the module that a mutant changes."""
    for node in ast.parse(source).body:
        if node.lineno <= mutant.line <= (node.end_lineno or node.lineno):
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=name)])
                    | ast.AnnAssign(target=ast.Name(id=name))
                ):
                    return name
    return None
