"""The judgement whether the machine was calm enough while something was measured.

The load average tells how many programs want to run, our own included; so it says nothing here.
What counts is the processor time that others took meanwhile, what the host took from this machine,
and how far the measurements of a baseline, which is none of ours, lie apart.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

OTHERS = 0.10
"""The share of all processors' time that others may take."""
STOLEN = 0.05
"""The share of it that the host may keep for others."""
NOISE = 0.5
"""How far the quartiles of a baseline may be apart, as a share of its median."""


class Load(NamedTuple):
    """Shares of all processors' time, 0 to 1: of processes that are not ours, and of the host."""

    others: float
    stolen: float


CALM = Load(0.0, 0.0)


class Usage(NamedTuple):
    """Seconds of processor time so far: all there was, what was used, what the host kept, ours."""

    all: float
    used: float
    stolen: float
    ours: float


class Watch:
    """The load from now on.

    Args:
        mark: a path that stands in the environment of processes of ours which have another parent.
    """

    def __init__(self, mark: Path) -> None:
        self._mark = mark
        self._began = usage(mark)

    def load(self) -> Load:
        """Return what others took since it was made; nothing where the system does not tell."""
        return between(self._began, usage(self._mark))


def usage(mark: Path) -> Usage:
    """Return what was used so far, by all and by us: this process, all below it, the marked."""
    if not sys.platform.startswith("linux"):
        return Usage(0.0, 0.0, 0.0, 0.0)
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    return counted([int(word) for word in fields], _ours(str(mark)))


def counted(fields: list[int], ours: float) -> Usage:
    """Return the first line of /proc/stat in seconds.

    Args:
        fields: user, nice, system, idle, iowait, irq, softirq, steal; in units of the clock.
        ours: seconds.
    """
    unit = 1 / os.sysconf("SC_CLK_TCK")
    user, nice, system, idle, waiting, irq, softirq, steal = fields
    used = user + nice + system + irq + softirq
    return Usage((used + idle + waiting + steal) * unit, used * unit, steal * unit, ours)


def between(began: Usage, ended: Usage) -> Load:
    """The shares of the time from one moment to another."""
    whole = ended.all - began.all
    if whole <= 0:
        return CALM
    others = (ended.used - began.used) - (ended.ours - began.ours)
    return Load(max(0.0, others) / whole, (ended.stolen - began.stolen) / whole)


def reason(load: Load, noise: float = 0.0) -> str | None:
    """Return why nothing can be judged that was measured under this load, or None if it can.

    Args:
        noise: how far the quartiles of the baseline are apart, as a share of its median.
    """
    if load.others > OTHERS:
        return f"other programs took {load.others:.0%} of the processors"
    if load.stolen > STOLEN:
        return f"the host took {load.stolen:.0%} of the processors"
    if noise > NOISE:
        return f"the baseline itself varied by {noise:.0%}"
    return None


def _ours(mark: str) -> float:
    """Seconds of this process, of all below it, and of those that bear the mark.

    Those that have ended are in the sum of the one who waited for them.
    """
    own = psutil.Process()
    mine = {process.pid: process for process in (own, *own.children(recursive=True))}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid not in mine and _marked(process.environ(), mark):
                mine[process.pid] = process
    total = 0.0
    for process in mine.values():
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def _marked(environment: Mapping[str, str], mark: str) -> bool:
    return environment.get("HOME", "").startswith(mark)
