"""Finding what answers a request, by its method and its path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anyond.api.declaration.endpoint import WEBSOCKET
from anyond.http.answer.refusal import Misdirected
from anyond.http.views import View
from anyond.model.access import Scope


class Route(NamedTuple):
    """The view that answers a method at a path.

    Args:
        path: with its parameters in braces; the last may be `{name...}`, for all that follows.
        scope: what its caller must be allowed.
        summary: what it does, in a few words.
        confines: whether its view refuses what a confined caller does not reach.
        framework: whether it reads a form or sends a file, which the framework does.
    """

    method: str
    path: str
    view: View
    scope: Scope
    summary: str
    framework: bool = False
    confines: bool = False


class Found(NamedTuple):
    """A route, and the texts in the path that was asked for."""

    route: Route
    path_params: dict[str, str]


class Routes:
    """All routes of an application."""

    def __init__(self) -> None:
        self._fixed: dict[str, list[Route]] = {}
        self._variable: dict[int, list[tuple[tuple[str, ...], Route]]] = {}
        self._rest: list[tuple[str, str, Route]] = []

    def add(self, route: Route) -> None:
        """Add a route, after those that are there."""
        if route.path.endswith("...}"):
            prefix, _, name = route.path.rpartition("{")
            self._rest.append((prefix, name.removesuffix("...}"), route))
        elif "{" in route.path:
            parts = tuple(route.path.split("/"))
            self._variable.setdefault(len(parts), []).append((parts, route))
        else:
            self._fixed.setdefault(route.path, []).append(route)

    def __iter__(self) -> Iterator[Route]:
        for routes in self._fixed.values():
            yield from routes
        for variable in self._variable.values():
            yield from (route for _, route in variable)
        yield from (route for _, _, route in self._rest)

    def find(self, method: str, path: str) -> Found:
        """Find what answers a request, a fixed path before a variable one.

        Args:
            method: in capitals; `WEBSOCKET` for the opening of one. What answers GET answers HEAD.

        Raises:
            Misdirected: nothing is there, or nothing for that method.
        """
        declared = "GET" if method == "HEAD" else method
        for found in self._at(path):
            if found.route.method == declared:
                return found
        raise _misdirected(method, path, self.methods(path), [f.route for f in self._at(path)])

    def methods(self, path: str) -> set[str]:
        """The methods of HTTP that are answered at `path`."""
        methods = {found.route.method for found in self._at(path)} - {WEBSOCKET}
        return methods | {"HEAD"} if "GET" in methods else methods

    def _at(self, path: str) -> Iterator[Found]:
        bare = path[:-1] if path.endswith("/") and path != "/" else path
        for route in self._fixed.get(bare, ()):
            yield Found(route, {})
        given = bare.split("/")
        for parts, route in self._variable.get(len(given), ()):
            params = _match(parts, given)
            if params is not None:
                yield Found(route, params)
        for prefix, name, route in self._rest:
            if path.startswith(prefix) and path != prefix:
                yield Found(route, {name: path[len(prefix) :]})


def _match(parts: tuple[str, ...], given: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for part, text in zip(parts, given, strict=True):
        if part[:1] == "{":
            if not text:
                return None
            params[part[1:-1]] = text
        elif part != text:
            return None
    return params


def _misdirected(method: str, path: str, methods: set[str], there: list[Route]) -> Misdirected:
    printable = path[:200]
    if not there:
        return Misdirected(404, f"There is nothing at {printable}.")
    if method == WEBSOCKET:
        return Misdirected(400, f"{printable} is not a WebSocket.")
    if not methods:
        words = f"{printable} is a WebSocket; connect to it with an upgrade."
        return Misdirected(426, words, {"Upgrade": "websocket"})
    allow = {"Allow": ", ".join(sorted(methods))}
    return Misdirected(405, f"{method} is not possible at {printable}.", allow)
