"""Choices that an agent has offered in its sessions: modes and models."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Choice(Struct, frozen=True, kw_only=True):
    """One mode or model.

    Args:
        id: the value of the option `mode` or `model` of a variant.
        name: as people know it; the id if the agent tells no other.
        description: in the agent's words; "" if it tells none.
    """

    id: Annotated[str, Meta(min_length=1)]
    name: str
    description: str = ""


class Offers(Struct, frozen=True, kw_only=True):
    """All of them, as far as they are kept.

    Args:
        modes: that the agent offers, in its order.
        models: the same of models.
        more: how many modes and models it offers besides, which are too many or too odd to be kept.
    """

    modes: tuple[Choice, ...] = ()
    models: tuple[Choice, ...] = ()
    more: int = 0
