"""Addresses of remote repositories, in each of the forms that git takes."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from msgspec import Struct

_SCP = re.compile(r"(?:[^@/\s]+@)?(?P<host>\[[^\]]+\]|[^:/\s]+):(?P<path>.*)", re.DOTALL)
_HELPER = re.compile(r"[A-Za-z0-9+.-]+::")  # a program that git runs, such as `ext::…`
_PORTS = {"http": 80, "https": 443, "ssh": 22, "git": 9418}


class Address(Struct, frozen=True):
    """The place of a repository. Nothing of users and passwords is in here.

    Args:
        scheme: `https`, `http`, `ssh`, `git`, `file` (a path, too), or whatever else it says.
        host: in lower case; empty for files.
        port: the scheme's own where none is given; 0 for schemes without.
        path: without slashes at its ends, and without `.git`.
    """

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `text` as git does: a URL, `user@host:path`, or else a path.

        What cannot be read is an address of the scheme `unknown`.
        """
        text = text.strip()
        if _HELPER.match(text):
            return cls("unknown", "", 0, "")
        if "://" in text:
            try:
                parts = urlsplit(text)
                port = parts.port
            except ValueError:
                return cls("unknown", "", 0, "")
            scheme = {"git+ssh": "ssh", "ssh+git": "ssh"}.get(parts.scheme, parts.scheme)
            port = _PORTS.get(scheme, 0) if port is None else port
            # For git there is no query: all of that is path.
            path = text.partition("://")[2].partition("/")[2]
            return cls(scheme, (parts.hostname or "").lower(), port, _bare(path))
        found = _SCP.fullmatch(text)
        if found:
            return cls("ssh", found["host"].strip("[]").lower(), 22, _bare(found["path"]))
        return cls("file", "", 0, _bare(text))


def without_user(url: str) -> str:
    """An http(s) URL without user and password."""
    return re.sub(r"(?<=://)[^/?#]*@", "", url.strip(), count=1)


def _bare(path: str) -> str:
    path = path.strip("/")
    return path.removesuffix(".git").rstrip("/")
