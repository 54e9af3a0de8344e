"""The interface of a manager of services, and running its programs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from anyond.model.errors import Unavailable
from anyond.service.written_files import Recipe

_COMMAND_S = 60.0


class Setup(NamedTuple):
    """Everything that the files of a service are made from.

    Args:
        program: the absolute path of the command, with what comes before its arguments.
        path: PATH of the daemon and of its agents.
        environment: further variables, such as where its directories are.
        recipe: the wishes of the person.
        address: where the service manager listens, `host:port`, if it does.
    """

    program: tuple[str, ...]
    path: str
    environment: dict[str, str]
    recipe: Recipe
    address: str


class State(NamedTuple):
    """The state of the service, as its manager has it.

    Args:
        running: whether the daemon runs.
        words: the manager's own, such as `active (running)`.
        pid: of the daemon, if it runs.
        at_login: whether it, or its socket, starts at login.
    """

    running: bool
    words: str
    pid: int | None
    at_login: bool


class Manager(Protocol):
    """A service manager of the person's login."""

    name: str
    """The manager's, for people."""

    unit: str
    """The service's, as the manager knows it."""

    def places(self) -> tuple[Path, ...]:
        """The files that a service may have, the one of the service itself first."""
        ...

    def contents(self, setup: Setup) -> dict[Path, str]:
        """The files that a service of that setup has."""
        ...

    def demand(self, recipe: Recipe, *, linger: bool) -> None:
        """Refuse what this manager does not offer, or all if it is not there."""
        ...

    def activate(self, recipe: Recipe) -> None:
        """Have the files read, and the service started, or started again."""
        ...

    def deactivate(self) -> None:
        """End the daemon, and start it no more."""
        ...

    def forget(self) -> None:
        """Take note that files are gone."""
        ...

    def restart(self) -> None:
        """Start the daemon again."""
        ...

    def state(self) -> State:
        """Look how it is."""
        ...

    def keep_after_logout(self) -> None:
        """Have services of this person run without a login."""
        ...

    def log_command(self, lines: int, *, follow: bool) -> list[str]:
        """The command that prints the log."""
        ...


def run(command: Sequence[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program of the manager; a minute at most. Blocking.

    Raises:
        Unavailable: it is not there, or fails although it is to be checked; it says why.
    """
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_COMMAND_S,
            check=False,
        )
    except FileNotFoundError as error:
        raise Unavailable(f"{command[0]} is not there.") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"`{' '.join(command)}` did not work: {error}.") from error
    if check and done.returncode:
        words = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
        raise Unavailable(f"`{' '.join(command)}` did not work: {words}")
    return done


def of_this_system() -> Manager:
    """The manager that this system has."""
    if sys.platform == "darwin":
        from anyond.service.launchd import Launchd

        return Launchd()
    from anyond.service.systemd import Systemd

    return Systemd()
