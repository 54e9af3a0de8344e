"""The listeners of the daemon: for its own clients, and for those of vibe-kanban."""

from __future__ import annotations

from typing import NamedTuple

from anyond.host.socket_activation import handed_sockets
from anyond.http.wire.listeners import Listener, listen
from anyond.model.refusals.requests import Invalid
from anyond.settings.options import Options, demand_token

VK = "vk"
"""What a service manager calls a socket that is for clients of vibe-kanban."""


class ListenerSet(NamedTuple):
    """Listeners; whoever connects waits until somebody serves them.

    Attributes:
        ours: for clients of the API; at least one.
        vk: for clients of vibe-kanban; none if nobody asked for it.
    """

    ours: list[Listener]
    vk: list[Listener]

    def close(self) -> None:
        """Stop listening; nothing happens where that is so already."""
        for listener in [*self.ours, *self.vk]:
            listener.close()


def open_listeners(options: Options) -> ListenerSet:
    """Listen at what the options name, or at the sockets that were handed over in its place.

    Raises:
        Invalid: an address is none, or a front end is to be served nowhere.
        Unavailable: somebody else listens at one, or the system does not allow it.
    """
    handed = handed_sockets()
    for found in handed:
        if found.port is not None:
            demand_token(found.host, options.auth)
    ours = [f"fd://{found.fd}" for found in handed if found.name != VK]
    vk = [f"fd://{found.fd}" for found in handed if found.name == VK]
    if not ours and options.host is not None:
        ours = [f"{options.host}:{options.port}"]
    if options.unix is not None:
        ours.append(f"unix:{options.unix}")
    if not vk and options.vk_port is not None:
        vk = [f"{options.vk_host}:{options.vk_port}"]
    if not vk and options.ui is not None:
        raise Invalid("--ui", "is served where --vk-port says, so that has to be given too")
    listeners = ListenerSet([], [])
    try:
        listeners.ours.extend(map(listen, ours))
        listeners.vk.extend(map(listen, vk))
    except BaseException:  # all of them or none
        listeners.close()
        raise
    return listeners
