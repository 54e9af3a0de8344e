"""A process that has imported Anyon, and forks the daemons of tests.

The imports are most of what the start of a daemon costs, and a run of the tests starts hundreds. A
forked daemon is a process like any other from there on: the arguments, the environment, the
directory and the descriptors are its own, and what runs is `anyond.cli.main`.

Started as `python -m tests.support.daemons.daemon_template <descriptor of a socket>`. A message on
it is a request in JSON with the descriptors of stdout, stderr and a channel; the pid and later the
exit code come on the channel, a line each. The template ends when the socket does.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress

import pygit2
from pygit2.enums import ConfigLevel, Option

from anyond.agents.roster import AGENTS, fits
from anyond.cli import main
from anyond.cli.serve import _load_structlog
from anyond.daemon import listening
from anyond.model.configuration.environment import personal
from tests.support.daemons import measured

MOST_BYTES = 1 << 20


class Template:
    """The loop that forks and reaps.

    Args:
        requests: where requests come from.
    """

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._ended, self._wakes = socket.socketpair()
        self._wakes.setblocking(False)
        self._channels: dict[int, socket.socket] = {}

    def run(self) -> None:
        """Serve until the other end is closed; in a daemon it ends with the exit of that."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C is for the tests, which close us
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        while True:
            ready, _, _ = select.select([self._requests, self._ended], [], [])
            if self._ended in ready:
                self._ended.recv(4096)
                self._reap()
            if self._requests in ready:
                data, fds, _, _ = socket.recv_fds(self._requests, MOST_BYTES, 3)
                if not data:
                    return
                self._fork(json.loads(data), *fds)

    def _reap(self) -> None:
        while self._channels:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            # Perhaps nobody waits for this one any more.
            with self._channels.pop(pid) as channel, suppress(BrokenPipeError):
                channel.sendall(str(os.waitstatus_to_exitcode(status)).encode())

    def _fork(self, request: dict[str, object], out: int, err: int, channel_fd: int) -> None:
        channel = socket.socket(fileno=channel_fd)
        pid = os.fork()
        if pid == 0:
            channel.close()
            self._become(request, out, err)
        os.close(out)
        os.close(err)
        self._channels[pid] = channel
        channel.sendall(str(pid).encode())

    def _become(self, request: dict[str, object], out: int, err: int) -> None:
        """The daemon. Ends with SystemExit, which ends the interpreter as it would any other."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for inherited in (self._requests, self._ended, self._wakes, *self._channels.values()):
            inherited.close()
        for target, source in ((1, out), (2, err)):
            os.dup2(source, target)
            os.close(source)
        os.chdir(str(request["cwd"]))
        # What Python adds to an environment without a locale, it has added to ours as well.
        added = {name: os.environ[name] for name in ("LC_CTYPE",) if name in os.environ}
        os.environ.clear()
        os.environ.update({**added, **request["environment"]})  # type: ignore[dict-item]
        time.tzset()
        _forget_home()
        sys.argv = ["anyond", *request["arguments"]]  # type: ignore[misc]
        main()


def _forget_home() -> None:
    """Have libgit2 look anew where its configuration is; it does so once by itself."""
    for level in (ConfigLevel.SYSTEM, ConfigLevel.XDG, ConfigLevel.GLOBAL):
        pygit2.option(Option.SET_SEARCH_PATH, level, None)


def load() -> None:
    """Import what `anyond serve` imports, in its order, and then what its first attempt does."""
    gc.disable()
    assert listening
    _load_structlog()
    import anyond.daemon.run

    assert anyond.daemon.run
    for executor in AGENTS:
        fits(executor, {})
    personal(os.environ)  # compiles the patterns of names
    gc.enable()
    gc.freeze()


if __name__ == "__main__":
    measured.measure_shims()
    load()
    Template(socket.socket(fileno=int(sys.argv[1]))).run()
