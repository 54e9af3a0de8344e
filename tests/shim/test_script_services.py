"""What follows the services of a script: it waits for a keeper on its way, and only then."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from anyond.shim.script_services import KNOCK_S, command_line

LATE_KEEPER = """
import socket, sys, time
open("up", "w").close()
time.sleep(0.7)
listener = socket.socket(socket.AF_UNIX)
listener.bind("k")
listener.listen()
peer = listener.accept()[0]
peer.sendall(b"services 1\\ntick\\n")
"""


@pytest.mark.parametrize("shim", ["/anyond/shim/shim.py", "/anyond/procs/shim.py"])
def test_a_keeper_that_has_not_opened_its_socket_yet_is_waited_for(
    tmp_path: Path, shim: str
) -> None:
    # By these arguments and its working directory a process is known as the shim of a spool,
    # also one that an earlier version has started.
    late = [sys.executable, "-c", LATE_KEEPER, shim, "start", str(tmp_path)]
    keeper = subprocess.Popen(late, cwd=tmp_path)
    try:
        deadline = time.monotonic() + 20
        while not (tmp_path / "up").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        done = subprocess.run(
            command_line(str(tmp_path)), capture_output=True, timeout=30, check=True
        )
    finally:
        keeper.kill()
        keeper.wait()
    assert done.stdout == b"tick\n"


def test_without_a_keeper_the_services_are_over_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(command_line(str(tmp_path)), capture_output=True, timeout=30, check=True)
    assert done.stdout == b""
    assert time.monotonic() - began < KNOCK_S
