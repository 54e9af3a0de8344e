"""The resources of the functions that answer requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from anyond.http.described import DescribedApi
from anyond.http.guard import Policy
from anyond.http.streaming.encoders import PLAIN, WireFormat
from anyond.http.streaming.task_lists import TaskLists
from anyond.model.refusals.requests import Invalid

if TYPE_CHECKING:
    from anyond.services.services import Services
    from anyond.store.engine.database import Store


class Backend(NamedTuple):
    """Everything that can be asked, and what is kept from one answer to the next.

    Args:
        wire_formats: the ways to write streams, by the `format` that a client asks for.
        policy: who is let in, and by which links.
    """

    services: Services
    task_lists: TaskLists
    described: DescribedApi
    wire_formats: dict[str, WireFormat]
    policy: Policy

    @property
    def store(self) -> Store:
        return self.services.store

    def wire_format(self, name: str) -> WireFormat:
        """The wire format of that name. Raises `Invalid`."""
        if name not in self.wire_formats:
            raise Invalid("format", "is not one that this server writes")
        return self.wire_formats[name]


def backend_of(services: Services, policy: Policy) -> Backend:
    """The backend of a daemon that has `services`."""
    return Backend(services, TaskLists(services.store), DescribedApi(), {"": PLAIN}, policy)
