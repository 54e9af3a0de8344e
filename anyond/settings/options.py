"""Options of the command line, and the checks of them.

Each option is declared once, at its field: the command line, its help and `docs/settings.md` are
made from that.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from anyond.host.app_paths import AppPaths
    from anyond.model.refusals.requests import Invalid

HOST = "127.0.0.1"
PORT = 8096


class Auth(StrEnum):
    """The clients that may talk to the daemon: everybody who reaches it, or who has the token."""

    NONE = "none"
    TOKEN = "token"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option of `anyon serve`.

    Args:
        name: the field of `Options`.
        flag: as it is written on the command line.
        kind: the type of its values, or of each of them.
        default: what holds if it is not given; None if nothing does.
        text: what it asks for, as a sentence for people.
        variable: the environment variable that may give it, too.
        bounds: the least and the greatest value of a number.
        metavar: what a value is called, where its type does not tell.
        repeatable: it may be given several times.
        read: what becomes of a value that is given: of the kind, and safe to obey.
    """

    name: str
    flag: str
    kind: type
    default: Any
    text: str
    variable: str | None
    bounds: tuple[int, int] | None
    metavar: str | None
    repeatable: bool
    read: Callable[[Any], Any]


def option(
    default: Any,
    flag: str,
    text: str,
    *,
    variable: str | None = None,
    bounds: tuple[int, int] | None = None,
    metavar: str | None = None,
    read: Callable[[Any], Any] | None = None,
) -> Any:
    """A field of `Options` that the command line may set; see `Option` for the arguments."""
    more = {"flag": flag, "text": text, "variable": variable, "bounds": bounds}
    return field(default=default, metadata={**more, "metavar": metavar, "read": read})


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a server; an instance of it is always safe to obey.

    Paths are absolute, names of hosts and origins in lower case.

    Args:
        paths: the directories.

    Raises:
        Invalid: names the option of the command line.
    """

    paths: AppPaths
    host: str | None = option(HOST, "--host", "Address to listen on.", variable="ANYON_HOST")
    port: int = option(
        PORT,
        "--port",
        "Port to listen on, 0 for any free one.",
        variable="ANYON_PORT",
        bounds=(0, 65535),
    )
    unix: Path | None = option(
        None,
        "--unix",
        "Listen on this Unix socket; on TCP too only if --host or --port is given.",
        read=_absolute,
    )
    vk_port: int | None = option(
        None,
        "--vk-port",
        "Serve clients of vibe-kanban at this port as well, 0 for any free one; a socket for them"
        " that a service manager has opened takes its place.",
        variable="ANYON_VK_PORT",
        bounds=(0, 65535),
    )
    ui: Path | None = option(
        None,
        "--ui",
        "Serve the built front end in this directory there too.",
        read=_absolute,
    )
    allowed_hosts: tuple[str, ...] = option(
        (),
        "--allowed-host",
        "Accept this name in the Host header, beside those of loopback.",
        metavar="NAME",
        read=str.lower,
    )
    allowed_origins: tuple[str, ...] = option(
        (),
        "--allowed-origin",
        "Accept requests of web pages from this origin, such as http://localhost:3000.",
        metavar="ORIGIN",
        read=lambda origin: origin.lower().rstrip("/"),
    )
    auth: Auth = option(
        Auth.NONE,
        "--auth",
        "Whether requests must bring the token, which is printed at the start.",
    )
    log_format: LogFormat = option(
        LogFormat.TEXT, "--log-format", "How the daemon writes the lines of its log."
    )
    log_level: LogLevel = option(
        LogLevel.INFO, "--log-level", "Which lines of its log the daemon writes: these and worse."
    )

    @classmethod
    def given(cls, paths: AppPaths, values: Mapping[str, Any]) -> Options:
        """Complete the options that were given; those that are None or () were not.

        A Unix socket alone means that TCP is not wanted.

        Raises:
            Invalid: names the option of the command line.
        """
        named: dict[str, Any] = {}
        for one in declared_options():
            value = values.get(one.name)
            if one.repeatable:
                named[one.name] = tuple(map(one.read, value or ()))
            elif value is not None:
                named[one.name] = one.read(value)
        if "unix" in named and not named.keys() & {"host", "port"}:
            named["host"] = None
        return cls(paths=paths, **named)

    @property
    def vk_host(self) -> str:
        """The address that goes with `vk_port`."""
        return HOST if self.host is None else self.host

    def __post_init__(self) -> None:
        if self.host is not None:
            demand_token(self.host, self.auth)
        for one in declared_options():
            value = getattr(self, one.name)
            if one.bounds is not None and value is not None:
                low, high = one.bounds
                if not low <= value <= high:
                    raise _invalid(one.flag, f"must be from {low} to {high}")
        if self.host is not None and self.port and self.vk_port == self.port:
            raise _invalid("--vk-port", f"must be another one than --port, which is {self.port}")
        for host in self.allowed_hosts:
            if host != host.lower() or not host or set(host) & set("/*@ ,"):
                raise _invalid("--allowed-host", f"{host!r} is not a plain host name")
        for origin in self.allowed_origins:
            if not _is_origin(origin):
                raise _invalid(
                    "--allowed-origin", f"{origin!r} is not an origin like http://localhost:3000"
                )


@cache
def declared_options() -> tuple[Option, ...]:
    """All options, in their order."""
    # The directories are no option, and what they need is not loaded to tell the help.
    types = get_type_hints(Options, localns={"AppPaths": object})
    made = []
    for one in fields(Options):
        if "flag" in one.metadata:
            kind, *more = get_args(types[one.name]) or (types[one.name],)
            made.append(
                Option(
                    name=one.name,
                    kind=kind,
                    default=one.default,
                    repeatable=Ellipsis in more,
                    **{**one.metadata, "read": one.metadata["read"] or kind},
                )
            )
    return tuple(made)


def _invalid(flag: str, problem: str) -> Invalid:
    from anyond.model.refusals.requests import Invalid  # with msgspec, which no help needs

    return Invalid(flag, problem)


def demand_token(host: str, auth: Auth) -> None:
    """Refuse to listen on `host` for other machines without a token.

    Raises:
        Invalid: `host` is not a loopback address and `auth` asks for no token.
    """
    if auth is Auth.NONE and not is_loopback(host):
        raise _invalid(
            "--host",
            f"{host or '(every address)'} can be reached from other machines, and whoever reaches "
            "Anyon can run commands as you. Add --auth token, or listen on 127.0.0.1.",
        )


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach `host`; no name but `localhost` is believed."""
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
    normalized = f"{parts.scheme}://{parts.hostname and parts.netloc}"
    return (
        bool(parts.scheme and parts.hostname and port != 0) and normalized == text == text.lower()
    )
