"""A typed client of the daemon: `Client` for programs with Trio, `BlockingClient` for all others.

    from anyond.api import tasks
    from anyond.client import BlockingClient

    with BlockingClient() as client:
        client.call(tasks.LIST_TASKS, tasks.TasksOfProject(project_id=...))

Endpoints are the values of `anyond.api`; what a call takes and returns is what they declare.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from anyond.client.address import Address, find_daemon
from anyond.client.errors import (
    ClientError,
    DaemonNotFound,
    DeadlinePassed,
    Refused,
    StreamFailed,
    Unanswered,
)

if TYPE_CHECKING:
    from anyond.client.blocking import BlockingClient
    from anyond.client.client import Client
    from anyond.client.events import Event

__all__ = [
    "Address",
    "BlockingClient",
    "Client",
    "ClientError",
    "DaemonNotFound",
    "DeadlinePassed",
    "Event",
    "Refused",
    "StreamFailed",
    "Unanswered",
    "find_daemon",
]

_LATE = {
    "BlockingClient": "anyond.client.blocking",
    "Client": "anyond.client.client",
    "Event": "anyond.client.events",
}
"""Imported when they are first asked for: who needs no Trio does not wait until it is loaded."""


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    found = globals()[name] = getattr(import_module(_LATE[name]), name)
    return found
