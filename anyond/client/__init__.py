"""A typed client of the daemon: `Client` for programs with Trio, `BlockingClient` for all others.

    from anyond.api import tasks
    from anyond.client import BlockingClient

    with BlockingClient() as client:
        client.call(tasks.LIST_TASKS, tasks.TasksOfProject(project_id=...))

Endpoints are the values of `anyond.api`; what a call takes and returns is what they declare.
"""

from __future__ import annotations

from anyond.client.address import Address, find_daemon
from anyond.client.blocking import BlockingClient
from anyond.client.client import Client
from anyond.client.errors import (
    ClientError,
    DaemonNotFound,
    DeadlinePassed,
    Refused,
    StreamFailed,
    Unanswered,
)
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
