"""The API described, for programs and for people; made when it is first asked for."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

import msgspec
import trio


class Described(NamedTuple):
    """The description as OpenAPI and as a page, with the policy that the page needs."""

    document: bytes
    page: bytes
    policy: str
    etag: str


class DescribedApi:
    """The description, made once, in a thread."""

    def __init__(self) -> None:
        self._made: Described | None = None
        self._making = trio.Lock()

    async def get(self) -> Described:
        async with self._making:
            if self._made is None:
                self._made = await trio.to_thread.run_sync(_describe)
        return self._made


def _describe() -> Described:
    # Only now, since all of this costs time and memory that a daemon without readers should spare.
    from anyond.http.openapi.document import document
    from anyond.http.openapi.page import page, policy

    found = document()
    raw, html = msgspec.json.encode(found), page(found).encode()
    etag = blake2b(raw + html, digest_size=16).hexdigest()
    return Described(raw, html, policy(), etag)
