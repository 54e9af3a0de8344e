"""The contents of a spool: stamped records of one of four streams."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field


class Stream(StrEnum):
    """The origin of the bytes: STDIN is what the agent was sent, NOTE is what Anyon has to add."""

    STDIN = "stdin"
    STDOUT = "stdout"
    STDERR = "stderr"
    NOTE = "note"


class Record(Struct, frozen=True):
    """One stretch of bytes as it was read or written.

    Args:
        at: Unix nanoseconds.
        stream: who wrote it.
        data: the bytes themselves.
        position: the number of bytes of the spool before this record.
    """

    at: int
    stream: Stream
    data: bytes
    position: int = 0


class LaunchedProcesses(Struct, frozen=True, kw_only=True):
    """The processes of an execution as the daemon saw them itself; no file of an agent's says so.

    Args:
        boot_id: the run of the machine that the pids belong to.
        shim: pid and start time, in the notation of the system, which tells a pid from its reuse.
        program: the same of the shim's first child; None if it had ended before it was seen.
    """

    boot_id: str
    shim: tuple[int, str]
    program: tuple[int, str] | None


class Exit(Struct, frozen=True, kw_only=True):
    """The end of a program: exactly one of `code` and `signal`, or neither if it never started.

    Args:
        ended_at: Unix nanoseconds.
        error: why it could not be started, or how the shim itself failed.
        leftovers: how many of its descendants had to be killed.
        left_running: the commands of those that live on (see `LeftRunning`).
        ended: the commands of those that it had left running, and that were ended with it.
    """

    code: int | None = None
    signal: int | None = None
    ended_at: int = 0
    error: str | None = None
    leftovers: int = 0
    left_running: list[str] = field(default_factory=list, name="kept")
    ended: list[str] = field(default_factory=list)
