"""The GitHub that is meant: github.com, or the one of an enterprise, and its addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct

from anyond.model.addresses import Address
from anyond.model.configuration.variables import Variable
from anyond.model.refusals.requests import Invalid

PUBLIC = "https://github.com"
PUBLIC_API = "https://api.github.com"

_NAME = re.compile(r"(?!\.\.?$)[A-Za-z0-9._-]+")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class RepositoryName(Struct, frozen=True):
    """`owner/name`; both are safe in a path."""

    owner: str
    name: str

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> RepositoryName | None:
        """`owner/name`, or None if it is anything else."""
        parts = text.split("/")
        if len(parts) == 2 and all(_NAME.fullmatch(part) for part in parts):
            return cls(*parts)
        return None


class Site(Struct, frozen=True):
    """One GitHub.

    Args:
        web: where people see it, without a slash at the end.
        api: where programs ask it, likewise.
        client_id: of the OAuth application by which people sign in; None: they cannot.
    """

    web: str = PUBLIC
    api: str = PUBLIC_API
    client_id: str | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Site:
        """The site that `ANYON_GITHUB_URL` and `ANYON_GITHUB_API_URL` name; each follows from the
        other where only one is set. `ANYON_GITHUB_CLIENT_ID` names the application for sign-ins.

        Raises:
            Invalid: it is no https address. On loopback, http will do.
        """
        web = _base(environ, Variable.GITHUB_URL)
        api = _base(environ, Variable.GITHUB_API_URL)
        client_id = environ.get(Variable.GITHUB_CLIENT_ID, "").strip() or None
        if web is None and api is None:
            return cls(client_id=client_id)
        return cls(web or _web_of(api or ""), api or _api_of(web or ""), client_id)

    @property
    def host(self) -> str:
        return urlsplit(self.web).hostname or ""

    def takes_token(self, address: Address) -> bool:
        """Return whether this is the one place that the token may be sent to by git."""
        parts = Address.parse(self.web)
        here = (parts.scheme, parts.host, parts.port)
        return (address.scheme, address.host, address.port) == here

    def repository(self, address: Address) -> RepositoryName | None:
        """Return the repository that a remote's address names here; None if it lies elsewhere."""
        if address.scheme == "ssh":
            if address.host not in {self.host, f"ssh.{self.host}"}:
                return None
        elif not self.takes_token(address):
            return None
        prefix = urlsplit(self.web).path.strip("/")
        path = address.path.removeprefix(f"{prefix}/") if prefix else address.path
        return RepositoryName.parse(path)

    def pull_request(self, url: str) -> tuple[RepositoryName, int] | None:
        """Return the pull request that an address names; None if it lies elsewhere."""
        found = re.fullmatch(rf"{re.escape(self.web)}/(.+)/pull/([0-9]{{1,18}})", url)
        name = RepositoryName.parse(found[1]) if found else None
        return (name, int(found[2])) if found and name else None


def _base(environ: Mapping[str, str], variable: str) -> str | None:
    text = environ.get(variable, "").strip().rstrip("/")
    if not text:
        return None
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise Invalid(variable, f"is not an address: {error}") from error
    good = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if not host or not good or parts.query or parts.fragment or parts.username:
        raise Invalid(variable, "must be an address such as https://github.example.com")
    return text


def _api_of(web: str) -> str:
    host = urlsplit(web).hostname or ""
    if host == "github.com":
        return PUBLIC_API
    return web.replace("://", "://api.", 1) if host.endswith(".ghe.com") else f"{web}/api/v3"


def _web_of(api: str) -> str:
    if api == PUBLIC_API:
        return PUBLIC
    host = urlsplit(api).hostname or ""
    if host.endswith(".ghe.com"):
        return api.replace("://api.", "://", 1)
    return api.removesuffix("/api/v3")
