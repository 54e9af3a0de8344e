"""Writing a file of a form to the disk piece by piece, within limits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Collection

import trio
from quart import request
from werkzeug.exceptions import RequestTimeout
from werkzeug.sansio.multipart import (
    NEED_DATA,
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
)

from anyond.files.images import too_large
from anyond.http.request.body import LARGEST_FORM
from anyond.http.request.decode import unpacked
from anyond.http.request.json_request import JsonRequest
from anyond.model.errors import Unsupported
from anyond.model.refusals.requests import Invalid

STALL_SECONDS = 30.0
"""How long a client may send nothing in the middle of a body."""

_PARTS = 20
_PIECE = 256 * 1024
_LONGEST_NAME = 200


async def save(
    asked: JsonRequest,
    field: str,
    write: Callable[[bytes], Awaitable[object]],
    also: Collection[str] = (),
) -> str:
    """Write the one file that the form of the current request has in `field`.

    Nothing else of the form is kept, and of the file never more than a piece at once.

    Args:
        asked: the current request.
        write: given its bytes, piece by piece, some of which may be empty.
        also: other names that the field may have.

    Returns:
        The name of the file on the client's side, without directories and fit to be shown.

    Raises:
        Unsupported: the body is no form.
        Invalid: it is a broken one, or has no such file, or several.
        TooLarge: it is larger than `LARGEST_FORM`.
        Exception: whatever `write` raises.
    """
    decoder = _decoder(asked)
    is_expected = False
    name: str | None = None
    async for event in _events(decoder):
        match event:
            case File() | Field():
                is_expected = event.name == field or event.name in also
                if is_expected and name is not None:
                    raise Invalid(field, "must be one file, not several")
                if is_expected:
                    name = _display_name(event.filename if isinstance(event, File) else "")
            case Data(data=data) if is_expected:
                for start in range(0, len(data), _PIECE):
                    await write(data[start : start + _PIECE])
    if name is None:
        raise Invalid(field, "is missing; it must be a file in a form (multipart/form-data)")
    return name


def _decoder(asked: JsonRequest) -> MultipartDecoder:
    unpacked(asked)
    if request.mimetype != "multipart/form-data":
        kind = request.mimetype or "(none)"
        raise Unsupported(f"Content-Type: {kind} is not understood; send multipart/form-data.")
    boundary = request.mimetype_params.get("boundary", "")
    if not 0 < len(boundary) <= 200:
        raise Invalid("Content-Type", "must name the boundary of the form")
    return MultipartDecoder(boundary.encode("latin-1", "replace"), max_parts=_PARTS)


async def _events(decoder: MultipartDecoder) -> AsyncIterator[Event]:
    try:
        async for data in _body():
            decoder.receive_data(data)
            while (event := decoder.next_event()) is not NEED_DATA:
                yield event
        decoder.receive_data(None)
        while not isinstance(event := decoder.next_event(), Epilogue):
            yield event
    except ValueError as error:
        raise Invalid("body", "is not a complete form (multipart/form-data)") from error


async def _body() -> AsyncIterator[bytes]:
    """The current request's body as it comes in."""
    if (request.content_length or 0) > LARGEST_FORM:
        raise too_large()
    source = request.body.__aiter__()
    total = 0
    while True:
        data = b""
        with trio.move_on_after(STALL_SECONDS) as scope:
            try:
                data = await source.__anext__()
            except StopAsyncIteration:
                return
            except Exception:  # whatever it is, it is raised again, after one look
                await trio.lowlevel.checkpoint()  # if the client has gone, this is the end
                raise
        if scope.cancelled_caught:
            raise RequestTimeout
        total += len(data)
        if total > LARGEST_FORM:
            raise too_large()
        for start in range(0, len(data), _PIECE):
            yield data[start : start + _PIECE]


def _display_name(name: str) -> str:
    """A file's name as a client sent it, without what a name must not have."""
    last = re.split(r"[/\\]", name)[-1]
    visible = "".join(c for c in last if not unicodedata.category(c).startswith("C")).strip()
    if len(visible) > _LONGEST_NAME:
        stem, dot, suffix = visible.rpartition(".")
        visible = f"{stem[: _LONGEST_NAME - 10]}{dot}{suffix[:9]}" if dot else visible
    return unicodedata.normalize("NFC", visible[:_LONGEST_NAME]) or "image"
