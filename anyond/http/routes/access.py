"""The chapter Access: tokens for programs, and links for browsers."""

from __future__ import annotations

import math

from anyond.api import access as api
from anyond.api.declaration.params import Nothing
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.http.guard import LINK_S
from anyond.http.permissions import CALLER
from anyond.model.access import CallerKind
from anyond.model.http.tokens import CreatedToken, Link, NewLink, NewToken, Token
from anyond.model.ids import now, seconds, timestamp
from anyond.model.refusals.access import NoLink
from anyond.model.refusals.requests import Impossible

BROWSER_S = 30 * 24 * 3600
"""A browser that was let in by the link of a token stays so long at most, in seconds."""


async def list_tokens(backend: Backend, _: Nothing) -> list[Token]:
    return await backend.services.tokens.list_all()


async def create_token(backend: Backend, _: Nothing, new: NewToken) -> CreatedToken:
    return await backend.services.tokens.create(new, CALLER.get())


async def revoke_token(backend: Backend, params: api.OfToken) -> None:
    await backend.services.tokens.revoke(params.token_id)


async def create_link(backend: Backend, _: Nothing, body: NewLink) -> Link:
    caller, policy = CALLER.get(), backend.policy
    if caller.kind is not CallerKind.TOKEN and not caller.local:
        raise NoLink
    url = policy.vk_url if body.vk else policy.url
    if url is None or not url.startswith("http"):
        raise Impossible("url", "the daemon listens nowhere that a browser reaches")
    cookie = None
    if caller.token_id is not None:
        new = NewToken(
            name=f"A browser, by the link of {caller.name}"[:1000],
            scopes=sorted(caller.scopes),
            projects=None if caller.projects is None else sorted(caller.projects),
            expires_in_s=BROWSER_S,
        )
        cookie = (await backend.services.tokens.create(new, caller)).token
    code = policy.link(cookie, LINK_S)
    expires = timestamp(math.floor(seconds(now()) + LINK_S))
    return Link(url=f"{url}/?token={code}", expires_at=expires)


ROUTES = (
    route(api.LIST_TOKENS, list_tokens),
    route(api.CREATE_TOKEN, create_token),
    route(api.REVOKE_TOKEN, revoke_token),
    route(api.CREATE_LINK, create_link),
)
