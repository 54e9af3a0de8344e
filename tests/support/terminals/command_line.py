"""The command `anyon` beside a daemon that all tests of a module share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import trio

from tests.support.daemon import Daemon
from tests.support.daemons.daemon_process import run_anyon
from tests.support.terminals.pseudo_terminal import PseudoTerminal


class CommandLine:
    """A person in a repository, with a daemon.

    Args:
        daemon: started already.
    """

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.environment = {**daemon.environment, "ANYON_DEMO_PACE": "0"}
        self.repository = daemon.repository("tea")

    def run(
        self, *arguments: str, cwd: Path | None = None, **environ: str
    ) -> CompletedProcess[str]:
        """The command on pipes."""
        environment = {**self.environment, **environ}
        return run_anyon(*arguments, environment=environment, cwd=cwd or self.repository)

    def well(self, *arguments: str, cwd: Path | None = None, **environ: str) -> str:
        """What it prints, if all is well."""
        done = self.run(*arguments, cwd=cwd, **environ)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def json(self, *arguments: str, cwd: Path | None = None) -> Any:
        """Its answer in JSON."""
        return json.loads(self.well(*arguments, "--json", cwd=cwd))

    def terminal(self, *arguments: str, cwd: Path | None = None, **environ: str) -> PseudoTerminal:
        """The command on a terminal."""
        environment = {**self.environment, **environ}
        return PseudoTerminal(*arguments, environment=environment, cwd=cwd or self.repository)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The daemon, asked by its API."""

        async def asked() -> Any:
            async with self.daemon.client():
                return await self.daemon.ask(method, path, body)

        return trio.run(asked)


@contextmanager
def command_line(root: Path) -> Iterator[CommandLine]:
    """A daemon and the command, while inside."""
    daemon = Daemon(root)
    # What the daemon gets, its agents get.
    daemon.environment["ANYON_DEMO_PACE"] = "0"
    trio.run(daemon.start)
    try:
        yield CommandLine(daemon)
    finally:
        trio.run(partial(daemon.__aexit__, None, None, None))
