"""Answering what a browser asks for to show the board, and the policy that the page lives by."""

from __future__ import annotations

import os

from anyond.http.board.site_files import ASSETS, INDEX, SiteFile, SiteFiles
from anyond.http.request.json_request import JsonAnswer, JsonRequest
from anyond.http.routing import Route
from anyond.model.access import Scope
from anyond.model.refusals.requests import NotFound

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        # Dev servers of this machine are shown beside the conversation.
        "frame-src http://127.0.0.1:* http://localhost:*",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types svelte-trusted-html anyon",
    )
)
"""The content security policy: nothing of another host, and no text that becomes markup."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_COMMON = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_ASK_AGAIN = "no-cache"
_FOR_EVER = "public, max-age=31536000, immutable"
_PLAIN = ("manifest.webmanifest", "icon.svg", "favicon.ico")
"""Files beside the page, at addresses that are known to browsers."""


def routes() -> list[Route]:
    """The page, its assets, and the files beside it."""
    site = SiteFiles()

    async def index(request: JsonRequest) -> JsonAnswer:
        return _answer(request, INDEX, (await site.get()).files[INDEX], _ASK_AGAIN)

    async def beside(request: JsonRequest, name: str) -> JsonAnswer:
        known = (await site.get()).files
        real = "icon.svg" if name == "favicon.ico" else name
        return _answer(request, real, known[real], _ASK_AGAIN)

    async def asset(request: JsonRequest) -> JsonAnswer:
        name = request.path_params.get("name") or ""
        known = await site.get()
        version, _, rest = name.partition("/")
        found = known.files.get(f"{ASSETS}/{rest}") if version == known.version else None
        if found is None:
            raise NotFound("file", name[:200])
        return _answer(request, rest, found, _FOR_EVER)

    def of(name: str) -> Route:
        async def view(request: JsonRequest) -> JsonAnswer:
            return await beside(request, name)

        return Route("GET", f"/{name}", view, Scope.READ, "Get a file of the board", confines=True)

    return [
        Route("GET", "/", index, Scope.READ, "Get the board", confines=True),
        Route(
            "GET",
            f"/{ASSETS}/{{name...}}",
            asset,
            Scope.READ,
            "Get an asset of the board",
            confines=True,
        ),
        *(of(name) for name in _PLAIN),
    ]


def _answer(request: JsonRequest, name: str, file: SiteFile, caching: str) -> JsonAnswer:
    etag = f'"{file.etag}"'
    headers = {**_COMMON, "Cache-Control": caching, "ETag": etag}
    seen = {tag.strip() for tag in (request.headers.get("if-none-match") or "").split(",")}
    if etag in seen:
        return JsonAnswer(304, b"", None, headers)
    kind = _TYPES[os.path.splitext(name)[1]]
    return JsonAnswer(200, file.body, kind, headers)
