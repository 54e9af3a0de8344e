"""Examples of endpoints: their parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from anyond.api.declaration.endpoint import Endpoint


class Example(NamedTuple):
    """An example of one endpoint.

    Args:
        send: a body.
        answer: the `data` of an answer.
        frames: one frame of each sort, at least.
    """

    send: Any = None
    answer: Any = None
    frames: Sequence[Any] = ()


Examples = Mapping[Endpoint[Any], Example]
