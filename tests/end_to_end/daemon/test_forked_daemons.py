"""Daemons that are forked for tests are what the same command starts."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.daemon import Daemon
from tests.support.daemons import daemon_process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="none is forked elsewhere")

OWN = "ANYON_EXECUTION|ANYON_TOKEN|ANYON_URL|PWD"
SETUP = f"(env | grep -vE '^({OWN})=' | sort; ls /proc/self/fd; umask) > {{out}}"

INHERITED = ("Umask", "SigBlk", "SigIgn", "SigCgt")
"""Lines of a process's status; what else begins with `Sig` is about the moment or the user."""


def sockets(pid: int) -> set[str]:
    """Those that a process has open."""
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed in between
            found.add(os.readlink(link))
    return {name for name in found if name.startswith("socket:")}


async def described(root: Path, *, forked: bool) -> dict[str, str]:
    """What can be seen of a daemon and of what it starts, with its directory called `$ROOT`."""
    daemon_process.allow(forked)
    async with Daemon(root) as daemon:
        process = psutil.Process(daemon.pid)
        assert ("daemon_template" in " ".join(process.cmdline())) is forked
        assert not sockets(daemon.pid) & sockets(process.ppid())
        status = Path(f"/proc/{daemon.pid}/status").read_text().splitlines()
        await daemon.use_fake_agent()
        project = await daemon.project(setup_script=SETUP.format(out=root / "out"))
        await daemon.over(await daemon.attempt(project, "write a.txt text\nsay done"))
        seen = {
            "cwd": process.cwd(),
            "limits": process.rlimit(psutil.RLIMIT_NOFILE),
            "status": [line for line in status if line.startswith(INHERITED)],
            "commits": sorted(
                daemon.git(root / "project", "log", "--all", "--format=%an %ae %s").splitlines()
            ),
            "setup": (root / "out").read_text(),
            "exit": await daemon.stop(),
        }
    return {name: str(value).replace(str(root), "$ROOT") for name, value in seen.items()}


async def test_a_forked_daemon_and_what_it_starts_are_as_those_of_the_command(
    tmp_path: Path,
) -> None:
    forked = await described(tmp_path / "forked", forked=True)
    started = await described(tmp_path / "started", forked=False)
    assert forked == started


async def test_the_end_of_a_forked_daemon_is_told_as_that_of_any_process(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "daemon")
    await daemon.start()
    code = await daemon.kill()
    assert code == -signal.SIGKILL
    async with daemon:
        other = Daemon(tmp_path / "other")
        other.environment.update({k: v for k, v in daemon.environment.items() if "ANYON_" in k})
        with pytest.raises(AssertionError, match="already"):
            await other.start()
        other.sweep()
