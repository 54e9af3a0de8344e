"""Sending a file: whole, or the part that was asked for, or not at all if it is known."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import trio
from quart import Response, request
from werkzeug.datastructures import Range
from werkzeug.http import parse_range_header

from anyond.http.answer.envelope import JSON, failure

_PIECE = 256 * 1024


async def download(
    source: Path | bytes, content_type: str, etag: str, more: Mapping[str, str] | None = None
) -> Response:
    """The answer to a GET for a file, with 304, 206 and 416 where they belong.

    Args:
        source: where it is, or what is in it.
        etag: what identifies the content, without quotes.
        more: headers beside the usual ones.
    """
    size = len(source) if isinstance(source, bytes) else (await trio.Path(source).stat()).st_size
    headers = {
        "ETag": f'"{etag}"',
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        **(more or {}),
    }
    if request.if_none_match.contains_weak(etag):
        known = Response(b"", 304, headers)
        del known.headers["Content-Length"], known.headers["Content-Type"]  # of no body
        return known
    start, end, status = 0, size, 200
    requested = _range(etag)
    if requested is not None:
        part = requested.range_for_length(size)
        if part is None:
            message = f"Range: the file has {size} bytes"
            return Response(
                failure(message), 416, {"Content-Range": f"bytes */{size}"}, content_type=JSON
            )
        (start, end), status = part, 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    body: AsyncIterator[bytes] | bytes = b""
    if isinstance(source, bytes):
        body = source[start:end]
    elif request.method != "HEAD":
        body = _pieces(source, start, end)
    response = Response(body, status, headers, content_type=content_type)
    response.headers["Content-Length"] = str(end - start)
    response.timeout = None
    return response


def _range(etag: str) -> Range | None:
    """The part that is asked for; several parts, or one of another version, are the whole."""
    if request.method == "HEAD" or request.headers.get("If-Range", f'"{etag}"') != f'"{etag}"':
        return None
    requested = parse_range_header(request.headers.get("Range"))
    if requested is None or requested.units != "bytes" or len(requested.ranges) != 1:
        return None
    return requested


async def _pieces(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    async with await trio.open_file(path, "rb") as file:
        await file.seek(start)
        while start < end:
            piece = await file.read(min(_PIECE, end - start))
            if not piece:
                raise OSError(f"{path} became shorter while it was sent")
            start += len(piece)
            yield piece
