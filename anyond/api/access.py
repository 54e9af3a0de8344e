"""The chapter Access: tokens for programs, and links for browsers."""

from __future__ import annotations

from types import NoneType
from typing import Annotated

from msgspec import Meta, Struct, field

from anyond.api.declaration import samples
from anyond.api.declaration.endpoint import BodyCall, Call, Chapter
from anyond.api.declaration.params import Nothing
from anyond.model.access import Scope
from anyond.model.fields import Id
from anyond.model.http.tokens import CreatedToken, Link, NewLink, NewToken, Token
from anyond.model.refusals.access import BeyondOwnScope, NoLink
from anyond.model.refusals.requests import Impossible, NotFound


class OfToken(Struct, frozen=True, kw_only=True):
    """Requests for one token."""

    token_id: Annotated[
        Id, Meta(description="The id of the token.", examples=[samples.TOKEN_ID])
    ] = field(name="id")


LIST_TOKENS = Call(
    method="GET",
    path="/api/tokens",
    summary="List tokens",
    granted_by=Scope.ADMIN,
    params=Nothing,
    text="Those that were made, the revoked ones too. What they consist of is not stored.",
    answer=list[Token],
    cached=True,
)
CREATE_TOKEN = BodyCall(
    method="POST",
    path="/api/tokens",
    summary="Create token",
    granted_by=Scope.ADMIN,
    params=Nothing,
    text="`token` is shown only now. It can do no more than whoever makes it.",
    body=NewToken,
    answer=CreatedToken,
    refusals=(BeyondOwnScope,),
)
REVOKE_TOKEN = Call(
    method="DELETE",
    path="/api/tokens/{id}",
    summary="Revoke token",
    granted_by=Scope.ADMIN,
    params=OfToken,
    text="It is not accepted any more, and its streams end.",
    answer=NoneType,
    refusals=(NotFound,),
)
CREATE_LINK = BodyCall(
    method="POST",
    path="/api/links",
    summary="Create link",
    params=Nothing,
    text="The address lets in one browser, which can then do what the caller can. For whoever"
    " shows a token, or comes through the Unix socket.",
    body=NewLink,
    optional=True,
    answer=Link,
    refusals=(NoLink, Impossible),
)

CHAPTER = Chapter(
    "Access",
    "Tokens for programs, each with what it may do, and links that let in a browser.",
    (
        LIST_TOKENS,
        CREATE_TOKEN,
        REVOKE_TOKEN,
        CREATE_LINK,
    ),
)
