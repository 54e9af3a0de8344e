"""The fields of the files in a spool, each with what it says.

Part of the shim, but no running one loads it: types only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict


class Spec(TypedDict):
    """`spec.json`: the program to be started, written by the daemon."""

    protocol: Annotated[int, "what the daemon asks the shim for"]
    id: Annotated[str, "of the execution"]
    program: Annotated[str, "absolute path"]
    argv: Annotated[Sequence[str], "arguments, the first of them the name"]
    cwd: Annotated[str, "working directory, absolute"]
    env: Annotated[
        Mapping[str, str], "environment; only the names of its variables once `run.json` is there"
    ]
    stdin: Annotated[bool, "whether the program gets a pipe; if not, `/dev/null`"]
    limit: Annotated[int, "bytes that the log may have"]
    open_files: Annotated[Sequence[int], "soft and hard limit of open files"]
    left_running: Annotated[str, "`end`, `tell` or `keep`: see the end"]
    key: Annotated[
        str, "what a daemon has to say first; empty for nothing; gone once `run.json` is there"
    ]
    start: Annotated[str, "names the one start; gone once `run.json` is there"]
    boot_id: Annotated[str, "of the system"]


class Run(TypedDict):
    """`run.json`: the program that was started."""

    shim_pid: Annotated[int, "of the shim"]
    shim_started: Annotated[str, "its start time, as the system counts it"]
    pid: Annotated[int, "of the program"]
    pid_started: Annotated[str, "its start time"]
    boot_id: Annotated[str, "of the system"]
    started_at: Annotated[int, "Unix nanoseconds"]
    protocol: Annotated[int, "what the shim speaks with its daemon"]


class Gap(TypedDict):
    """`gap.json`: the part that was left out of the middle of the log."""

    start: Annotated[int, "offset of its first byte"]
    end: Annotated[int, "offset behind its last byte"]
    bytes: Annotated[int, "its length"]
    first_frame: Annotated[int, "number of its first record of stdout and stderr"]
    end_frame: Annotated[int, "number of the first one behind it"]
    limit: Annotated[int, "bytes that the log may have"]


class Exit(TypedDict):
    """`exit.json`: the end."""

    code: Annotated[int | None, "exit status of the program; null if a signal ended it"]
    signal: Annotated[int | None, "the signal that ended it"]
    error: Annotated[str | None, "why the program did not start, or what could not be killed"]
    leftovers: Annotated[int, "how many descendants had to be ended"]
    kept: NotRequired[Annotated[Sequence[str], "commands that live on as services"]]
    ended: NotRequired[Annotated[Sequence[str], "commands that were ended with the program"]]
    ended_at: Annotated[int, "Unix nanoseconds"]
    protocol: Annotated[int, "what the shim spoke with its daemon"]
