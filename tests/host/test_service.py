"""The service manager hears how the daemon is, and hands it sockets as systemd does."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from anyond.host.sd_notify import ServiceManager
from anyond.host.socket_activation import handed_sockets
from anyond.model.refusals.requests import Invalid


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        yield listener


def test_the_manager_hears_each_word(manager: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": manager.getsockname(), "PATH": "/bin"}
    service = ServiceManager.of(environ)
    assert environ == {"PATH": "/bin"}
    service.ready("serving")
    assert manager.recv(999) == b"READY=1\nMAINPID=%d\nSTATUS=serving" % os.getpid()
    service.status("two\nREADY=0")
    assert manager.recv(999) == b"STATUS=two READY=0"
    service.stopping()
    assert manager.recv(999) == b"STOPPING=1"


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are of Linux")
def test_an_abstract_address_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        name = f"anyon-test-{os.getpid()}-{id(listener)}"
        listener.bind(f"\0{name}")
        listener.settimeout(5)
        ServiceManager.of({"NOTIFY_SOCKET": f"@{name}"}).stopping()
        assert listener.recv(999) == b"STOPPING=1"


async def test_the_watchdog_is_fed_at_half_its_period(
    manager: socket.socket, autojump_clock: MockClock
) -> None:
    service = ServiceManager.of(
        {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "30000000"}
    )
    with trio.move_on_after(60):
        await service.keep_alive()
    manager.setblocking(False)
    received = []
    for _ in range(4):  # at 0, 15, 30 and 45 seconds; at 60 s the deadline may come first
        received.append(manager.recv(999))
    assert received == [b"WATCHDOG=1"] * 4


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"NOTIFY_SOCKET": "vsock:2:1234", "WATCHDOG_USEC": "100"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "100", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "100"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "soon"},
    ],
)
async def test_without_a_watchdog_nothing_is_fed(environ: dict[str, str]) -> None:
    service = ServiceManager.of(environ)
    with trio.fail_after(5):
        await service.keep_alive()


def test_a_manager_that_is_gone_disturbs_nobody(tmp_path: Path) -> None:
    ServiceManager(str(tmp_path / "nobody")).ready()


HANDED = """
import fcntl, json, os, socket, subprocess, sys
from anyond.host.socket_activation import handed_sockets
found = handed_sockets()
answers = []
for one in found:
    with socket.socket(fileno=one.fd) as listener:
        inherited = subprocess.run(
            [sys.executable, "-c", f"import os; os.fstat({one.fd})"],
            close_fds=False, stderr=subprocess.DEVNULL,
        ).returncode == 0
        connection, _ = listener.accept()
        connection.sendall(b"served")
        connection.close()
    answers.append([one.name, one.family.name, one.host, one.port, inherited])
answers.append(sorted(name for name in os.environ if name.startswith("LISTEN_")))
print(json.dumps(answers))
"""

# What a service manager does between fork and exec: descriptors from 3 on, and its own variables.
MANAGER = """
import os, sys
count = sys.argv[1]
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=count, LISTEN_FDNAMES=sys.argv[2])
for n, fd in enumerate(map(int, sys.argv[4:])):
    os.dup2(fd, 3 + n, inheritable=True)
os.execv(sys.executable, [sys.executable, "-c", sys.argv[3]])
"""


def started(names: str, script: str, *fds: int) -> subprocess.Popen[bytes]:
    # High numbers first, so that none of them is overwritten on the way to 3, 4, …
    high = [os.dup(fd) for fd in fds]
    while min(high) < 3 + len(high):
        high = [os.dup(fd) for fd in high]
    return subprocess.Popen(
        [sys.executable, "-c", MANAGER, str(len(high)), names, script, *map(str, high)],
        pass_fds=high,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_listening_sockets_are_taken_over_and_served(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
    ):
        unix.bind(str(tmp_path / "socket"))
        unix.listen()
        with started("web:private", HANDED, tcp.fileno(), unix.fileno()) as daemon:
            with socket.create_connection(tcp.getsockname(), timeout=30) as client:
                assert client.makefile("rb").read() == b"served"
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(30)
                client.connect(str(tmp_path / "socket"))
                assert client.makefile("rb").read() == b"served"
            output, _ = daemon.communicate(timeout=30)
        assert json.loads(output) == [
            ["web", "AF_INET", "127.0.0.1", tcp.getsockname()[1], False],
            ["private", "AF_UNIX", str(tmp_path / "socket"), None, False],
            [],
        ]


REFUSED = """
from anyond.host.socket_activation import handed_sockets
from anyond.model.refusals.requests import Invalid
try:
    handed_sockets()
except Invalid as error:
    print(error)
"""


def test_what_does_not_listen_is_refused_in_words() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        open(os.devnull) as file,
    ):
        for given, words in ((datagrams, b"not a listening stream"), (file, b"not a socket")):
            with started("odd", REFUSED, given.fileno()) as daemon:
                output, _ = daemon.communicate(timeout=30)
            assert words in output


def test_sockets_meant_for_another_process_are_not_ours() -> None:
    environ = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "x"}
    assert handed_sockets(environ) == []
    assert environ == {}


@pytest.mark.parametrize("count", ["-1", "many", "9999"])
def test_an_odd_number_of_sockets_is_refused(count: str) -> None:
    with pytest.raises(Invalid, match="LISTEN_FDS"):
        handed_sockets({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": count})
