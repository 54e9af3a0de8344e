"""`make power`: cuts the power of a daemon at work, many times, and looks at what is left."""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from campaigns.power.trial import Trial, why_not

CUTS = 200
SHORT = 6
CUTS_A_RECORDING = 40


def main() -> int:
    """Returns 1 if something is gone that a client had been told, or was done twice."""
    parser = argparse.ArgumentParser(prog="python -m campaigns.power", description=__doc__)
    parser.add_argument("--cuts", type=int, default=CUTS, metavar="N")
    parser.add_argument("--short", action="store_true", help=f"{SHORT} cuts, for CI")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9), metavar="N")
    parser.add_argument("--seconds", type=float, default=15.0, metavar="N", help="of work")
    parser.add_argument("--clients", type=int, default=3, metavar="N", help="at once")
    options = parser.parse_args()
    missing = why_not()
    if missing is not None:
        print(f"power: left out: {missing}.")
        return 0
    cuts = SHORT if options.short else options.cuts
    began, facts, compared, writes = time.monotonic(), 0, 0, 0
    wrong: list[str] = []
    done = 0
    while done < cuts and not wrong:
        root = Path(tempfile.mkdtemp(prefix="anyon-power-"))
        dice = Random(f"{options.seed}:{done}")
        trial = Trial(root, dice, options.seconds, options.clients)
        trial.record()
        writes += len(trial.changes)
        upto = min(cuts, done + CUTS_A_RECORDING)
        for number in range(done, upto):
            trial.cut(number)
            done += 1
            if trial.wrong:
                break  # what was left of the disk stays
        facts += trial.facts_of_kind.total()
        compared += trial.compared
        wrong += trial.wrong
        if not wrong:
            shutil.rmtree(root)
    print(
        f"power: {done} cuts, {writes:,} writes and syncs, {facts:,} answers, "
        f"{compared:,} compared, "
        f"{time.monotonic() - began:.0f} s, seed {options.seed}: {len(wrong)} wrong"
    )
    for line in wrong:
        print(line)
    if wrong:
        print(f"What was left is in {root}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
