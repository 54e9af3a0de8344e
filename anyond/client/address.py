"""The address of the daemon: from the caller, from the environment, or from its `daemon.json`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from anyond.client.errors import DaemonNotFound
from anyond.host.app_paths import AppPaths
from anyond.host.daemon_file import DaemonFile
from anyond.model.configuration.variables import Variable


class Address(NamedTuple):
    """The address of a daemon, and the token for it.

    Args:
        url: `http://host:port`; of a Unix socket, the host that requests name.
        socket: the path of the Unix socket, if it is one.
        token: what the daemon wants with `--auth token`; None if there is none.
    """

    url: str
    socket: Path | None = None
    token: str | None = None


def find_daemon(url: str | None = None, environ: Mapping[str, str] | None = None) -> Address:
    """The daemon at `url`, at `ANYON_URL`, or the one of this user that runs.

    Args:
        url: `http://host:port`, or `unix:/path/of/a/socket`.
        environ: in place of the environment of this process. `ANYON_TOKEN` is the token; without
            it, it is read from the configuration directory.

    Raises:
        DaemonNotFound: none is named, and none has left a `daemon.json`.
    """
    environ = os.environ if environ is None else environ
    paths = AppPaths.of(environ)
    token = environ.get(Variable.TOKEN) or _stored(paths.token)
    url = url or environ.get(Variable.URL)
    if url is None:
        found = DaemonFile.read(paths.daemon_file)
        if found is None:
            raise DaemonNotFound(
                f"No daemon is running ({paths.daemon_file} is not there). Start one with"
                " `anyon serve`, or name it: ANYON_URL=http://host:port."
            )
        url = found.url
    return Address(*_parted(url), token)


def _parted(url: str) -> tuple[str, Path | None]:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return "http://localhost", Path(unquote(parts.path))
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise DaemonNotFound(
            f"{url} is not the address of a daemon, such as http://127.0.0.1:8096."
        )
    return url.rstrip("/"), None


def _stored(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None  # there is none, or it is not for us; the daemon will say if it wants one
