"""Refusals that are no answer to a request: a stream begins anew instead, or a daemon does not
start.
"""

from __future__ import annotations

from anyond.model.errors import AnyondError, Conflict, Kind


class Gone(AnyondError, type="gone"):
    """The changes after that position are not held (any more, or yet); take a fresh snapshot."""

    kind = Kind.NOT_FOUND

    oldest: int
    end: int

    def __init__(self, after: int, oldest: int, end: int) -> None:
        super().__init__(
            f"The changes after position {after} are not held; only those after {oldest} are, "
            f"and the newest is {end}."
        )
        self.oldest = oldest
        self.end = end


class AlreadyRunning(Conflict, type="already_running"):
    """Another daemon holds the data directory.

    Args:
        pid: the process, if it has said so.
        url: where it listens, if it has said so.
    """

    def __init__(self, pid: int | None, url: str | None) -> None:
        who = "Anyon is already running" + (f" (process {pid})" if pid else "")
        super().__init__(f"{who} at {url}." if url else f"{who}.")
        self.pid = pid
        self.url = url


class ServiceConflict(Conflict, type="service_conflict"):
    """The state of the service, or of its manager, does not allow it."""


class AgentsAtWork(Conflict, type="agents_at_work"):
    """Agents are at work, and what is asked for would take their files away."""

    def __init__(self, count: int) -> None:
        what = "1 agent or script is" if count == 1 else f"{count} agents and scripts are"
        super().__init__(
            f"{what} at work. Start the daemon, stop them (`anyon stop --all`), again."
        )
