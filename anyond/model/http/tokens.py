"""Tokens and links as clients ask for them and see them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from anyond.model.access import Scope
from anyond.model.fields import Id, Line


class Token(Struct, frozen=True, kw_only=True):
    """A token that a person has made for a program; the token itself is shown only once.

    `projects` are the only ones that it reaches; with null it reaches all.
    """

    id: str
    name: str
    scopes: list[Scope]
    projects: list[str] | None
    created_at: str
    expires_at: str | None
    last_used_at: str | None = None
    revoked_at: str | None = None


class NewToken(Struct, frozen=True, kw_only=True):
    """Body of a token's creation; without `expires_in_s` it holds until it is revoked."""

    name: Line
    scopes: list[Scope]
    projects: list[Id] | None = None
    expires_in_s: Annotated[int, Meta(ge=60)] | None = None


class CreatedToken(Struct, frozen=True, kw_only=True):
    """A new token: its row, and the token itself, which is not stored and never shown again."""

    record: Token
    token: str


class NewLink(Struct, frozen=True, kw_only=True):
    """Body of a link's creation, which may be left out.

    Args:
        vk: whether it leads to where clients of vibe-kanban are served.
    """

    vk: bool | None = None


class Link(Struct, frozen=True, kw_only=True):
    """An address that lets in one browser, once, and until then."""

    url: str
    expires_at: str
