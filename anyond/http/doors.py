"""What the daemon listens at: for its own clients, and for those of the ancestor."""

from __future__ import annotations

from typing import NamedTuple

from anyond.http.listeners import Listener, listen
from anyond.settings.options import Options, demand_token
from anyond.settings.socket_activation import handed_sockets


class Doors(NamedTuple):
    """Listeners; whoever connects waits until somebody serves them.

    Attributes:
        ours: for clients of the API; at least one.
        vk: for clients of the ancestor, if they were asked for.
    """

    ours: list[Listener]
    vk: Listener | None

    def close(self) -> None:
        """Stop listening; nothing happens where that is so already."""
        for listener in [*self.ours, *([self.vk] if self.vk else [])]:
            listener.close()


def open_doors(options: Options) -> Doors:
    """Listen at what the options name, or at the sockets that were handed over.

    Raises:
        Invalid: an address is none.
        Unavailable: somebody else listens at one, or the system does not allow it.
    """
    handed = handed_sockets()
    if handed:
        for found in handed:
            if found.port is not None:
                demand_token(found.host, options.auth)
        addresses = [f"fd://{found.fd}" for found in handed]
    else:
        addresses = [] if options.host is None else [f"{options.host}:{options.port}"]
    if options.unix is not None:
        addresses.append(f"unix:{options.unix}")
    doors = Doors([], None)
    try:
        for address in addresses:
            doors.ours.append(listen(address))
        if options.vk_port is None:
            return doors
        return doors._replace(vk=listen(f"{options.vk_host}:{options.vk_port}"))
    except BaseException:
        doors.close()
        raise
