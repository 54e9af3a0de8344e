"""Serving the files of a built single-page front end, and nothing beside them."""

from __future__ import annotations

import mimetypes
import os
import re
import stat
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import trio

from anyond.http.application import App
from anyond.http.guard import Policy
from anyond.http.request.json_request import JsonRequest
from anyond.http.routing import Route
from anyond.http.views import FileAnswer
from anyond.model.access import Scope
from anyond.model.refusals.requests import Invalid, NotFound

INDEX = "index.html"

_TEXTS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".map": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".webp": "image/webp",
    ".avif": "image/avif",
}
_PACKED = (("br", ".br"), ("gzip", ".gz"))
_HASHED = re.compile(r"assets/(?:.*/)?[^/]*[-.][A-Za-z0-9_-]{8,}(?:\.[a-z0-9]+)+")
EDITOR = "vscode-webview:"
"""What the views of extensions of VS Code and its kin are pages of."""
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s;,'\"]+")
_FOR_EVER = "public, max-age=31536000, immutable"


class _File(NamedTuple):
    path: Path
    etag: str
    encoding: str | None = None


def create(policy: Policy, closing: trio.Event, folder: Path) -> App:
    """An application that serves the front end in `folder` to whom `policy` lets in.

    What is not there is `index.html`, which looks at the address itself; but not in place of a
    script or a picture, and never for what lies outside of `folder` or begins with a dot.

    Args:
        closing: set when the daemon stops.

    Raises:
        Invalid: there is no `index.html` in it.
    """
    root = Path(os.path.realpath(folder))
    if not (root / INDEX).is_file():
        raise Invalid("--ui", f"there is no {INDEX} in {folder}")
    frames = _frames(policy.origins)

    async def file(request: JsonRequest) -> FileAnswer:
        name = request.path_params.get("name") or INDEX
        takes = _encodings(request.headers.get("accept-encoding"))
        found = await trio.to_thread.run_sync(_best, root, name, takes)
        if found is None and _is_page(name, request.headers.get("accept") or ""):
            name = INDEX
            found = await trio.to_thread.run_sync(_best, root, name, takes)
        if found is None:
            raise NotFound("file", name[:200])
        return FileAnswer(found.path, _type(name), found.etag, _headers(name, found, frames))

    app = App(policy, closing, home="/", pages=True)
    for path in "/", "/{name...}":
        app.routes.add(
            Route("GET", path, file, Scope.READ, "Get page", framework=True, confines=True)
        )
    return app


def _encodings(header: str | None) -> frozenset[str]:
    """The ways of compression that a client takes."""
    # With the framework, which is there when a file is sent.
    from werkzeug.datastructures import Accept
    from werkzeug.http import parse_accept_header

    accepted = parse_accept_header(header, Accept)
    return frozenset(encoding for encoding, _ in _PACKED if accepted.quality(encoding) > 0)


def _is_page(name: str, accept: str) -> bool:
    """Return whether the front end has to know what is at `name`."""
    hidden = any(part.startswith(".") for part in name.split("/"))
    if hidden or "\0" in name or name.startswith("assets/"):
        return False
    return "text/html" in accept or "." not in name.rpartition("/")[2]


def _find(root: Path, name: str) -> _File | None:
    """The file `name` below `root`, wherever symbolic links lead, as long as they stay there."""
    parts = name.split("/")
    if "\0" in name or "\\" in name or any(not part or part[0] == "." for part in parts):
        return None
    try:
        path = Path(os.path.realpath(root.joinpath(*parts)))
        known = path.stat()
    except (OSError, ValueError):
        return None  # no such file, or a name that no file can have
    if not path.is_relative_to(root) or not stat.S_ISREG(known.st_mode):
        return None
    return _File(path, f"{known.st_mtime_ns:x}-{known.st_size:x}")


def _best(root: Path, name: str, takes: frozenset[str]) -> _File | None:
    """The file `name`, or the same compressed, if that lies beside it and the client takes it."""
    plain = _find(root, name)
    if plain is None:
        return None
    for encoding, suffix in _PACKED:
        packed = _find(root, name + suffix) if encoding in takes else None
        if packed is not None:
            return _File(packed.path, f"{plain.etag}-{packed.etag}", encoding)
    return plain


@cache
def _types() -> mimetypes.MimeTypes:
    """The types of all other files. The system's own table, which is read before it is left out,
    can be anything, and browsers refuse scripts of the wrong type.
    """
    return mimetypes.MimeTypes(filenames=())


def _type(name: str) -> str:
    suffix = os.path.splitext(name)[1].lower()
    return _TEXTS.get(suffix) or _types().guess_type(f"x{suffix}")[0] or "application/octet-stream"


def _frames(origins: Iterable[str]) -> str:
    """The policy on who may show the front end in a frame: itself, editors, and who is allowed."""
    plain = [origin for origin in origins if _ORIGIN.fullmatch(origin)]
    return " ".join(["frame-ancestors 'self'", EDITOR, *plain])


def _headers(name: str, found: _File, frames: str) -> dict[str, str]:
    headers = {
        "Cache-Control": _FOR_EVER if _HASHED.fullmatch(name) else "no-cache",
        "Vary": "Accept-Encoding",
        "Content-Security-Policy": frames,
    }
    if found.encoding is not None:
        headers["Content-Encoding"] = found.encoding
    return headers
