"""The demo leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.daemon import TIMEOUT_S
from tests.support.daemons import measured
from tests.support.paths import ROOT

DEMO = """import signal
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever started the tests may have it ignored
from anyond.cli import main
main(["demo"])
"""


def until(look: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not look():
        assert time.monotonic() < deadline, f"Waited in vain for {what}."
        time.sleep(0.02)


def of(mark: Path) -> dict[int, str]:
    """Which processes live that have to do with the folder, and their command lines."""
    found = {}
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            words = [*process.environ().values(), *process.cmdline()]
            if str(mark) in "\0".join(words) and process.status() != psutil.STATUS_ZOMBIE:
                found[process.pid] = " ".join(process.cmdline())
    return found


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    yield folder
    for pid in of(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_demo_and_all_that_it_started(
    temporary: Path, number: signal.Signals
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "ANYON_DEMO_PACE": "100",  # it is at work until it is ended
        # The proxy of a company, which would not reach a daemon on this machine.
        **{f"{kind}_PROXY": "http://127.0.0.1:9" for kind in ("HTTP", "HTTPS", "ALL")},
        **measured.variables(),
    }
    with subprocess.Popen(
        [sys.executable, "-c", DEMO],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as demo:
        until(lambda: any("agent.py" in line for line in of(temporary).values()), "the agent")
        assert list(temporary.glob("anyon-demo-*"))
        demo.send_signal(number)
        assert demo.wait(TIMEOUT_S) == 128 + number
    assert of(temporary) == {}
    assert list(temporary.glob("anyon-demo-*")) == []


def test_a_demo_that_is_kept_serves_the_board_until_a_signal(temporary: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "ANYON_DEMO_PACE": "0",
        **measured.variables(),
    }
    output = temporary / "output"
    with (
        output.open("wb") as written,
        subprocess.Popen(
            [sys.executable, "-c", DEMO.replace('["demo"]', '["demo", "--keep"]')],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=written,
        ) as demo,
    ):
        until(lambda: "/#/attempts/" in output.read_text() or demo.poll() is not None, "the board")
        [address] = re.findall(r"(http://127\.0\.0\.1:\d+)/#/attempts/", output.read_text())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{address}/", timeout=TIMEOUT_S) as page:
            assert b"<title>Anyon</title>" in page.read()
        demo.send_signal(signal.SIGINT)
        assert demo.wait(TIMEOUT_S) == 128 + signal.SIGINT
    assert of(temporary) == {}
    assert list(temporary.glob("anyon-demo-*")) == []
