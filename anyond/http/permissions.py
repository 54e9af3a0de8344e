"""Permissions: whether a caller may use a route."""

from __future__ import annotations

from anyond.http.routing import Route
from anyond.model.access import Caller, CallerKind
from anyond.model.refusals.access import NotForAgents, ScopeMissing


def check(route: Route, caller: Caller) -> None:
    """Return if `caller` may use `route`.

    Raises:
        NotForAgents: it is an agent, or something that runs for one, and that is for persons.
        ScopeMissing: its token does not allow it.
    """
    if route.scope not in caller.scopes:
        if caller.kind is CallerKind.EXECUTION:
            raise NotForAgents(caller.execution_id or "", route.summary)
        raise ScopeMissing(route.scope, caller.name)
