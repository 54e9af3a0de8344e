"""Reporting the daemon's state to the service manager that started it: systemd's notify
protocol.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

import structlog
import trio


class ServiceManager:
    """The manager that waits for news, or nobody: then every method does nothing.

    Args:
        address: a path, or `@name` in the abstract namespace of Linux.
        watchdog_s: seconds of silence after which the manager takes the daemon for hung.
    """

    def __init__(self, address: str | None, watchdog_s: float | None = None) -> None:
        self.address = address
        self.watchdog_s = watchdog_s if address else None

    @classmethod
    def of(cls, environ: MutableMapping[str, str] | None = None) -> ServiceManager:
        """Whoever the environment names; the variables are removed, they are not our children's."""
        environ = os.environ if environ is None else environ
        address = environ.pop("NOTIFY_SOCKET", None)
        period = environ.pop("WATCHDOG_USEC", "")
        meant_for = environ.pop("WATCHDOG_PID", str(os.getpid()))
        ours = period.isdigit() and int(period) > 0 and meant_for == str(os.getpid())
        if address is not None and not address.startswith(("/", "@")):
            address = None  # another transport, such as vsock of a virtual machine
        return cls(address, int(period) / 1e6 if ours else None)

    def ready(self, status: str = "") -> None:
        """Requests are served from now on."""
        self._send("READY=1", f"MAINPID={os.getpid()}", *_status(status))

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(*_status(text))

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """The loop turns."""
        self._send("WATCHDOG=1")

    async def keep_alive(self) -> None:
        """Say `alive` at half the period until cancelled; returns at once if nobody listens.

        It runs in the daemon's own loop, so that a loop which stands still falls silent.
        """
        if self.watchdog_s is None:
            return
        while True:
            self.alive()
            await trio.sleep(self.watchdog_s / 2)

    def _send(self, *lines: str) -> None:
        if self.address is None or not lines:
            return
        address = f"\0{self.address[1:]}" if self.address[0] == "@" else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            # News that does not arrive must not end the work that it is about.
            structlog.get_logger(__name__).warning(
                "The service manager could not be told.", lines=lines, error=str(error)
            )


def _status(text: str) -> list[str]:
    line = " ".join(text.split())  # a line feed would begin a message of its own
    return [f"STATUS={line}"] if line else []
