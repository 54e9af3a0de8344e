"""What the command line may ask of the daemon, and what it refuses to be asked."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from anyond.host.places import Places
from anyond.model.errors import Invalid

HOST = "127.0.0.1"
PORT = 8096


class Auth(StrEnum):
    """Who may talk to the daemon: everybody who reaches it, or who has the token."""

    NONE = "none"
    TOKEN = "token"


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to serve; an instance of it is always safe to obey.

    Args:
        host: an address or name to listen on; None if TCP is not wanted.
        port: 0 takes any free one.
        unix: the path of a Unix socket to listen on as well, absolute.
        allowed_hosts: names beyond the loopback ones that a Host header may have, lower case.
        allowed_origins: web origins that may send requests, like `http://localhost:3000`.
        auth: whether every request must bring the token.
        vk_port: where the API is served once more, as the ancestor's clients know it; None if it is
            not wanted there. Sockets for them that were handed over take its place.
        ui: a directory with the files of a front end, absolute; served at the same place.
        places: the directories.

    Raises:
        Invalid: names the option of the command line.
    """

    places: Places
    host: str | None = HOST
    port: int = PORT
    unix: Path | None = None
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    auth: Auth = Auth.NONE
    vk_port: int | None = None
    ui: Path | None = None

    @property
    def vk_host(self) -> str:
        """The address that goes with `vk_port`."""
        return HOST if self.host is None else self.host

    def __post_init__(self) -> None:
        if self.host is not None:
            demand_token(self.host, self.auth)
        if not 0 <= self.port <= 65535:
            raise Invalid("--port", "must be from 0 to 65535")
        if self.vk_port is not None and not 0 <= self.vk_port <= 65535:
            raise Invalid("--vk-port", "must be from 0 to 65535")
        if self.host is not None and self.port and self.vk_port == self.port:
            raise Invalid("--vk-port", f"must be another one than --port, which is {self.port}")
        for host in self.allowed_hosts:
            if host != host.lower() or not host or set(host) & set("/*@ ,"):
                raise Invalid("--allowed-host", f"{host!r} is not a plain host name")
        for origin in self.allowed_origins:
            if not _is_origin(origin):
                raise Invalid(
                    "--allowed-origin", f"{origin!r} is not an origin like http://localhost:3000"
                )


def demand_token(host: str, auth: Auth) -> None:
    """Refuse to listen on `host` for other machines without a token.

    Raises:
        Invalid: `host` is not a loopback address and `auth` asks for no token.
    """
    if auth is Auth.NONE and not is_loopback(host):
        raise Invalid(
            "--host",
            f"{host or '(every address)'} can be reached from other machines, and whoever reaches "
            "Anyon can run commands as you. Add --auth token, or listen on 127.0.0.1.",
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`; no name but `localhost` is believed."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    shown = f"{parts.scheme}://{parts.hostname and parts.netloc}"
    return bool(parts.scheme and parts.hostname and port != 0) and shown == text == text.lower()
