"""`make mutants`: puts faults into the code, one at a time, and looks which ones tests notice."""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from tools.mutants import survivors, trial
from tools.mutants.chooser import Chooser
from tools.mutants.groups import GROUPS, Group
from tools.mutants.mutations import Mutant, mutants
from tools.mutants.progress import Progress, Result, digest

SEED = 1
LEAST = 0.85
PROGRESS = Path("build/mutants")
_KILLED = (Result.KILLED, Result.TIMED_OUT)


def main() -> int:
    """Returns 1 if too few are killed, or if the list of survivors is not as it is found to be."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("--only", choices=[g.name for g in GROUPS], help="one group")
    parser.add_argument("--module", metavar="FILE", help="of the group, all mutants of one module")
    parser.add_argument("--sample", type=int, metavar="N", help="mutants of each group; 0 is all")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="of the sample")
    parser.add_argument("--again", action="store_true", help="forget what an earlier run has found")
    options = parser.parse_args()
    trial.prepare()
    known = survivors.read()
    wrong = []
    for group in GROUPS:
        if options.only in (None, group.name):
            wrong += check(group, known, options)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


def check(
    group: Group, known: dict[str, survivors.Survivor], options: argparse.Namespace
) -> list[str]:
    """Try the mutants of a group, and print its row of the table; returns what is wrong."""
    began, used = time.monotonic(), _processor_seconds()
    files = [f for f in group.files() if options.module in (None, str(f))]
    sources = {str(file): file.read_text() for file in files}
    all_of_them = [(path, mutant) for path, text in sources.items() for mutant in mutants(text)]
    count = group.sample if options.sample is None else options.sample or None
    chosen = all_of_them if options.module else sample(all_of_them, count, options.seed)
    state = PROGRESS / f"{group.name}.jsonl"
    if options.again:
        state.unlink(missing_ok=True)
    progress = Progress(state, digest(*map(Path, group.tests)))
    results = _results(group, sources, chosen, progress)
    counts = Counter(results.values())
    killed = sum(counts[result] for result in _KILLED)
    alive = {name for name, result in results.items() if result not in _KILLED}
    listed = len(alive & known.keys())
    print(
        f"| {group.name} | {len(all_of_them)} | {len(chosen)} | {killed} "
        f"| {killed / max(1, len(chosen)):.0%} | {listed} | {len(alive) - listed} "
        f"| {options.seed} |",
        flush=True,
    )
    seconds, used = time.monotonic() - began, _processor_seconds() - used
    print(f"{group.name}: {seconds:.0f} s, {used:.0f} s of the processor", file=sys.stderr)
    wrong = [
        f"survives, not in the list ({results[name].value}): {name}"
        for name in sorted(alive - known.keys())
    ]
    wrong += [
        f"in the list, but killed: {name}" for name in sorted(results.keys() & known.keys() - alive)
    ]
    there = {f"{path}:{mutant.name}" for path, mutant in all_of_them}
    wrong += [
        f"in the list, but there is none: {name}"
        for name in sorted(known)
        if name.split(":")[0] in sources and name not in there
    ]
    if killed < LEAST * len(chosen):
        wrong.append(f"{group.name}: {killed} of {len(chosen)} are fewer than {LEAST:.0%}")
    return wrong


def sample(
    among: list[tuple[str, Mutant]], count: int | None, seed: int
) -> list[tuple[str, Mutant]]:
    """So many of them, in their order; a change elsewhere in the code hardly changes which ones."""

    def lot(entry: tuple[str, Mutant]) -> str:
        return sha256(f"{seed}:{entry[0]}:{entry[1].name}".encode()).hexdigest()

    drawn = set(sorted(among, key=lot)[:count])
    return [entry for entry in among if entry in drawn]


def _results(
    group: Group,
    sources: Mapping[str, str],
    chosen: list[tuple[str, Mutant]],
    progress: Progress,
) -> dict[str, Result]:
    """The result of each mutant by its name: found earlier, or tried now."""
    results: dict[str, Result] = {}
    missing = []
    for path, mutant in chosen:
        name = f"{path}:{mutant.name}"
        found = progress.result(name, digest(Path(path)))
        if found is None:
            missing.append((path, mutant))
        else:
            results[name] = found
    if not missing:
        return results
    with Chooser(group.tests, sources, PROGRESS / "reach-2") as chooser:
        for n, (path, mutant) in enumerate(missing, 1):
            found, test = chooser.attempt(path, mutant)
            name = f"{path}:{mutant.name}"
            progress.add(name, digest(Path(path)), found)
            results[name] = found
            by = f" ({test})" if found in _KILLED and test else ""
            note = f"{n}/{len(missing)} {found.value}: {path}:{mutant.line} {mutant.name}{by}"
            print(note, file=sys.stderr, flush=True)
    return results


def _processor_seconds() -> float:
    """Used so far by all processes that were started here, and by this one."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, who))


if __name__ == "__main__":
    sys.exit(main())
