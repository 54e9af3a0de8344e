"""A machine is judged by what others took of it, not by how much was running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks import busy
from benchmarks.busy import CALM, Load, Usage, between, counted, reason, usage


def test_our_own_work_is_no_load_of_others() -> None:
    began = Usage(all=100.0, used=50.0, stolen=1.0, ours=10.0)
    ended = Usage(all=120.0, used=69.0, stolen=1.0, ours=28.0)
    assert tuple(between(began, ended)) == pytest.approx((0.05, 0.0))


def test_what_the_host_took_is_told_apart() -> None:
    began = Usage(all=0.0, used=0.0, stolen=0.0, ours=0.0)
    ended = Usage(all=10.0, used=2.0, stolen=3.0, ours=2.0)
    assert tuple(between(began, ended)) == pytest.approx((0.0, 0.3))


def test_no_time_at_all_is_calm() -> None:
    now = Usage(1.0, 1.0, 0.0, 1.0)
    assert between(now, now) == CALM


def test_waiting_for_a_disk_is_not_work() -> None:
    unit = os.sysconf("SC_CLK_TCK")
    found = counted([unit] * 8, ours=1.5)
    assert found == Usage(all=8.0, used=5.0, stolen=1.0, ours=1.5)


@pytest.mark.parametrize(
    ("load", "noise", "words"),
    [
        (CALM, 0.0, None),
        (Load(busy.OTHERS, busy.STOLEN), busy.NOISE, None),
        (Load(0.43, 0.0), 0.0, "other programs took 43% of the processors"),
        (Load(0.0, 0.2), 0.0, "the host took 20% of the processors"),
        (CALM, 0.8, "the baseline itself varied by 80%"),
    ],
)
def test_the_reason_is_told(load: Load, noise: float, words: str | None) -> None:
    assert reason(load, noise) == words


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_child_that_has_ended_was_ours(tmp_path: Path) -> None:
    work = "import time\nwhile time.process_time() < 0.5: pass"
    began = usage(tmp_path)
    subprocess.run([sys.executable, "-I", "-S", "-c", work], check=True)
    ended = usage(tmp_path)
    assert ended.ours - began.ours >= 0.4
    assert ended.used - began.used >= 0.4


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_what_bears_the_mark_is_ours_whoever_its_parent_is(tmp_path: Path) -> None:
    # The shell leaves it behind, so that its parent is another one.
    work = (
        f"{sys.executable} -I -S -c 'import time; print(1, flush=True); time.sleep(60)' & echo $!"
    )
    shell = subprocess.Popen(
        ["sh", "-c", work], env={"HOME": str(tmp_path)}, stdout=subprocess.PIPE, text=True
    )
    assert shell.stdout is not None
    pid = int(shell.stdout.readline())
    shell.stdout.readline()
    shell.wait()
    try:
        orphan = psutil.Process(pid)
        assert orphan.ppid() != os.getpid()
        times = orphan.cpu_times()
        unmarked = usage(tmp_path / "another").ours
        assert usage(tmp_path).ours - unmarked >= times.user + times.system
    finally:
        os.kill(pid, signal.SIGKILL)
        shell.stdout.close()
