"""`make hostile`: very many requests that no client of good will sends, and one line of figures."""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import trio

from campaigns.hostile.trial import Trial
from tests.support.daemon import Daemon
from tests.support.hostile.fuzz_target import FuzzTarget

REQUESTS = 100_000
SHORT = 6_000
CLIENTS = 6


def main() -> int:
    """Returns 1 if there was a 5xx, a traceback, an end without an answer, or memory that stays."""
    parser = argparse.ArgumentParser(prog="python -m campaigns.hostile", description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS, metavar="N")
    parser.add_argument("--short", action="store_true", help=f"{SHORT:,} requests, for CI")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9), metavar="N")
    parser.add_argument("--minutes", type=float, default=600.0, metavar="N", help="at most")
    parser.add_argument("--clients", type=int, default=CLIENTS, metavar="N", help="at once")
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="anyon-hostile-"))
    target = FuzzTarget(Daemon(root / "daemon"))
    try:
        trio.run(target.furnish)
        requests = SHORT if options.short else options.requests
        trial = Trial(target, options.seed, requests, options.clients, options.minutes * 60)
        trial.run()
    finally:
        trio.run(target.leave)
    print(trial.figures())
    for line in trial.wrong:
        print(line)
    if trial.wrong:
        print(f"What was left is in {root}")
        return 1
    shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
