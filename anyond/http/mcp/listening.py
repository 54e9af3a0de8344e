"""Subscriptions: telling a client which resources have changed, at most once a second each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import trio

from anyond.http.mcp import resources
from anyond.http.mcp.inner import Refused
from anyond.http.mcp.messages import (
    INVALID_PARAMS,
    Id,
    Json,
    RpcError,
    notification,
    result_of,
)
from anyond.http.mcp.tool import Call
from anyond.model.errors import Unavailable
from anyond.model.refusals.daemon import Gone

SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
REST_S = 1.0
"""How long a resource is left alone after a client was notified of it."""
_MOST = 100

Send = Callable[[Json], Awaitable[None]]


async def honored_of(call: Call, params: Json) -> list[str]:
    """The resources that a client wants to hear of and may see.

    Raises:
        RpcError: the request is malformed.
    """
    asked = params.get("notifications")
    if not isinstance(asked, dict):
        raise RpcError(INVALID_PARAMS, "notifications: must be an object.")
    uris = asked.get("resourceSubscriptions") or []
    if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
        raise RpcError(INVALID_PARAMS, "resourceSubscriptions: must be a list of addresses.")
    if len(uris) > _MOST:
        raise RpcError(INVALID_PARAMS, f"resourceSubscriptions: at most {_MOST} at once.")
    honored = []
    for uri in dict.fromkeys(uris):
        try:
            if await resources.is_there(call, uri):
                honored.append(uri)
        except Refused:  # what a client may not see is left out, as what there is not
            continue
    return honored


async def listen(call: Call, id: Id, uris: list[str], send: Send, closing: trio.Event) -> None:
    """Tell what changes, until the client leaves or `closing` is set."""
    meta = {"_meta": {SUBSCRIPTION: id}}
    honored: Json = {"resourceSubscriptions": uris} if uris else {}
    acknowledged = "notifications/subscriptions/acknowledged"
    await send(notification(acknowledged, {"notifications": honored, **meta}))
    async with trio.open_nursery() as nursery:

        async def follow() -> None:
            await _follow(call, uris, meta, send)
            nursery.cancel_scope.cancel()

        nursery.start_soon(follow)
        await closing.wait()
        nursery.cancel_scope.cancel()
    with trio.CancelScope(shield=True, deadline=trio.current_time() + REST_S):
        await send(result_of(id, {"resultType": "complete", **meta}))


async def _follow(call: Call, uris: Iterable[str], meta: Json, send: Send) -> None:
    changes = call.backend.store.changes
    ids = {uri: resources.about(uri) for uri in uris}
    position = changes.end
    while True:
        try:
            page = await changes.follow(position).next()
            position = page[-1].position
            named = {one for change in page for one in (change.key, change.attempt_id)}
        except Gone:  # so much has happened that everything may have changed
            position, named = changes.end, {*ids.values()}
            await trio.lowlevel.checkpoint()
        except Unavailable:
            return
        reported = [uri for uri, about in ids.items() if about is None or about in named]
        for uri in reported:
            await send(notification("notifications/resources/updated", {"uri": uri, **meta}))
        if reported:
            await trio.sleep(REST_S)  # what happens meanwhile is reported together
