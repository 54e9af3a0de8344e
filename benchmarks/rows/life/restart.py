"""The time until a daemon answers again, and follows everything, while many agents run."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

from benchmarks import cost
from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, ratio
from benchmarks.lab import Lab
from benchmarks.pairs import Pairs
from benchmarks.rows.life.start import until_it_answers

AGENTS = 200
ROUNDS = 5
EACH = 0.02
"""The processor time that an agent may cost, as a share of that of an empty start; 15 ms on a
machine where that takes 750 ms."""


def measure(lab: Lab) -> Iterator[Figure]:
    """Restarts in turn: of a daemon without agents, and of one with many that wait."""
    answered, followed, costs = Pairs(), Pairs(), Pairs()
    pids = lab.path("pids")
    empty = Daemon(lab.path("daemon"), lab.environment)
    empty.start()
    empty.stop()
    full = Daemon(lab.path("daemon"), lab.environment)
    full.start()
    full.use_agent(lab.program(f"echo $$ >> {pids}; read line; exec sleep 3600"))
    attempts = full.attempts(full.project(lab.repository()), AGENTS)
    full.until(lambda: pids.exists() and len(pids.read_text().split()) == AGENTS, "all agents")
    for _ in range(lab.rounds(ROUNDS)):
        full.stop()
        plain, plain_rest, plain_cpu = _restart(empty)
        empty.stop()
        ours, ours_rest, ours_cpu = _restart(full)
        answered.add(plain, ours)
        followed.add(plain_rest, ours_rest)
        costs.add(plain_cpu, (ours_cpu - plain_cpu) / AGENTS)
    full.stop()
    full.start()
    for pid in pids.read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    for attempt in attempts:  # who was not followed would not be missed
        full.over(attempt)
    full.stop()
    name = "a start without agents"
    what = f"restart with {AGENTS} running agents until the first answer"
    yield ratio(what, answered, name=name, at_most=1.2)
    yield ratio("… until all of them are followed, and the daemon rests", followed, name=name)
    what = "… processor time for each of them"
    yield ratio(what, costs, name="of all of that start", at_most=EACH)


def _restart(daemon: Daemon) -> tuple[float, float, float]:
    """Seconds until the first answer and until it rests, and of the processor until then."""
    first = until_it_answers(daemon)
    rest, used = cost.at_rest(daemon.pid)
    return first, first + rest, used
