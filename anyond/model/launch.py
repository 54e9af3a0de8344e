"""Launches of programs: pure values that the agents make and the launcher obeys."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field


class LeftRunning(StrEnum):
    """The treatment of processes that a program leaves behind when it ends by itself.

    `REPORT` ends them and says so in the log, `KEEP` lets them live on if the program succeeded (on
    Linux; elsewhere it is `REPORT`).
    """

    END = "end"
    REPORT = "tell"
    KEEP = "keep"


class Launch(Struct, frozen=True, kw_only=True):
    """One program in one directory.

    Args:
        argv: the program, looked up in PATH of the final environment, and its arguments.
        cwd: an absolute path.
        env: laid over what `environment` passes on of the daemon's; a None value removes a
            variable.
        stdin: whether the program gets a pipe to read from (else: end of file at once).
        left_running: what becomes of what the program started and did not wait for.
        install: one sentence for the person when the program is missing.
    """

    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str | None] = field(default_factory=dict)
    stdin: bool = True
    left_running: LeftRunning = LeftRunning.END
    install: str = ""
