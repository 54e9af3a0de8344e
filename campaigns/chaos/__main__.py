"""`make chaos`: kills without end, ledgers outside of the daemon, and one line of figures."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path

from campaigns.chaos.chapter import CHECKS_PER_CHAPTER, KILLS_PER_CHECK, Result, run

KILLS = 1_000
SHORT_S = 75.0
"""How long there are kills in the short form; then what is there comes to rest and is checked."""

WORLDS = 3
CHAPTER_KILLS = KILLS_PER_CHECK * CHECKS_PER_CHAPTER
KINDS = ("lost", "doubled", "left_over", "half_done")


def main() -> int:
    """Returns 1 if anything was lost, doubled, left over or half done."""
    parser = argparse.ArgumentParser(prog="python -m campaigns.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, metavar="N")
    parser.add_argument("--short", action="store_true", help="three minutes at most, for CI")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9), metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first chapter")
    parser.add_argument("--worlds", type=int, default=WORLDS, metavar="N", help="side by side")
    parser.add_argument("--progress", type=Path, metavar="FILE", help="go on where FILE ends")
    options = parser.parse_args()
    until = time.time() + (SHORT_S if options.short else 10**9)
    root = Path(tempfile.mkdtemp(prefix="anyon-chaos-"))
    results = earlier(options.progress, options.seed)
    _play(options, until, root, results)
    print(figures(options.seed, results))
    for one in results:
        for kind, texts in one.faults.items():
            for text in texts:
                print(f"chapter {one.number}: {kind.replace('_', ' ')}: {text}")
                for line in one.evidence.get(text, []):
                    print(f"    {line}")
    if _faults(results):
        print(f"What was left is in {root}; --seed {options.seed} --first N plays chapter N again.")
        return 1
    shutil.rmtree(root)
    return 0


def _play(options: argparse.Namespace, until: float, root: Path, results: list[Result]) -> None:
    """Play chapters side by side until there are enough kills, or one has a fault."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.worlds, mp_context=context, max_tasks_per_child=1) as pool:
        signal.signal(signal.SIGTERM, lambda *_: _give_up(pool))
        number = max((one.number + 1 for one in results), default=options.first)
        waiting: set[Future[Result]] = set()
        while True:
            while len(waiting) < options.worlds:
                done_kills = sum(one.kills.total() for one in results)
                if done_kills + len(waiting) * CHAPTER_KILLS >= options.kills:
                    break
                if time.time() > until - SHORT_S / 3 or _faults(results):
                    break
                place = root / f"chapter{number}"
                waiting.add(pool.submit(run, options.seed, number, place, CHAPTER_KILLS, until))
                number += 1
            if not waiting:
                break
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for one in (future.result() for future in done):
                results.append(one)
                note(options.progress, options.seed, one)
                if not any(one.faults.values()):
                    shutil.rmtree(root / f"chapter{one.number}", ignore_errors=True)


def _give_up(pool: ProcessPoolExecutor) -> None:
    """The chapters end their daemons and agents when they are ended."""
    for process in (pool._processes or {}).values():
        process.terminate()
    raise KeyboardInterrupt


def figures(seed: int, results: list[Result]) -> str:
    """The line that tells it all."""
    kills = sum((one.kills for one in results), Counter())
    aimed = sum((one.aimed for one in results), Counter())
    counts = [sum(len(one.faults.get(kind, [])) for one in results) for kind in KINDS]
    words = ", ".join(
        f"{n} {kind.replace('_', ' ')}" for n, kind in zip(counts, KINDS, strict=True)
    )
    by_kind = ", ".join(f"{number} {what}" for what, number in kills.most_common())
    by_aim = ", ".join(f"{number} {what}" for what, number in aimed.most_common())
    total = {
        name: sum(getattr(one, name) for one in results)
        for name in ("scenes", "checks", "attempts", "lines", "events", "seconds")
    }
    return (
        f"chaos: seed {seed}, {kills.total():,} kills ({by_kind}) at {by_aim}; "
        f"{total['scenes']:,} scenes, {total['attempts']:,} attempts, {total['lines']:,} lines, "
        f"{total['events']:,} events, {total['checks']} checks: {words}; "
        f"{total['seconds']:.0f} s of worlds"
    )


def _faults(results: list[Result]) -> bool:
    return any(texts for one in results for texts in one.faults.values())


def earlier(progress: Path | None, seed: int) -> list[Result]:
    """The chapters of this seed that were played before."""
    if progress is None or not progress.exists():
        return []
    found = []
    for line in progress.read_text().splitlines():
        noted = json.loads(line)
        if noted.pop("seed") == seed:
            noted |= {name: Counter(noted[name]) for name in ("kills", "aimed")}
            found.append(Result(**noted))
    return found


def note(progress: Path | None, seed: int, result: Result) -> None:
    """Add a chapter to those that `earlier` finds."""
    if progress is not None:
        with progress.open("a") as file:
            # Not by `asdict`, which makes counters of pairs of counters before Python 3.12.
            file.write(json.dumps({"seed": seed, **vars(result)}) + "\n")


if __name__ == "__main__":
    sys.exit(main())
