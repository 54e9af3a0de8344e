"""Permissions: whether a caller may use a route."""

from __future__ import annotations

from anyond.http.routing import Route
from anyond.model.access import Caller
from anyond.model.refusals.access import ScopeMissing


def check(route: Route, caller: Caller) -> None:
    """Return if `caller` may use `route`.

    Raises:
        ScopeMissing: it may not.
    """
    if route.scope not in caller.scopes:
        raise ScopeMissing(route.scope, caller.name)
