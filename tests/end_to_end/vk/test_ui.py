"""A built front end is served at the port of its wire format: its files, and nothing else."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.clients.vk_shapes import PNG
from tests.support.daemon import Daemon, local_client

PAGE = "<!doctype html><script type=module crossorigin src=/assets/index-C0ffee99.js></script>"
SCRIPT = "console.log('board')\n" * 100
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HASHED = "/assets/index-C0ffee99.js"


def built(root: Path) -> Path:
    """What a bundler leaves."""
    folder = root / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "favicon.ico").write_bytes(b"\0\0\1\0")
    (folder / "site.webmanifest").write_text("{}")
    (folder / HASHED[1:]).write_text(SCRIPT)
    (folder / "assets" / "index-C0ffee99.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (folder / "assets" / "plain.css").write_text("body{}")
    (folder / ".env").write_text("SECRET")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("SECRET")
    (root / "secret.txt").write_text("SECRET")
    (folder / "out.txt").symlink_to(root / "secret.txt")
    (folder / "up").symlink_to(root)
    (folder / "inner.css").symlink_to(folder / "assets" / "plain.css")
    return folder


@asynccontextmanager
async def served(daemon: Daemon, *options: str) -> AsyncIterator[httpx.AsyncClient]:
    folder = built(daemon.root)
    await daemon.start("--vk-port", "0", "--ui", str(folder), *options)
    url = json.loads(daemon.daemon_file.read_text())["vk_url"]
    async with local_client(url) as client:
        try:
            yield client
        finally:
            await daemon.__aexit__()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    daemon = Daemon(tmp_path / "daemon")
    async with served(daemon) as client:
        yield client
    assert "Traceback" not in daemon.log()


async def test_the_page_is_asked_for_anew_and_hashed_files_are_kept_for_ever(
    site: httpx.AsyncClient,
) -> None:
    for path in ("/", "/index.html", "/projects/3f2b/tasks", "/projects/a.b/tasks"):
        page = await site.get(path, headers=HTML)
        assert (page.status_code, page.text) == (200, PAGE)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-cache"
    known = await site.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    script = await site.get(HASHED, headers={"Accept-Encoding": "identity"})
    assert (script.text, script.headers.get("content-encoding")) == (SCRIPT, None)
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["x-content-type-options"] == "nosniff"
    assert (await site.get("/assets/plain.css")).headers["cache-control"] == "no-cache"
    types = {"/favicon.ico": "image/vnd.microsoft.icon", "/inner.css": "text/css; charset=utf-8",
             "/site.webmanifest": "application/manifest+json"}  # fmt: skip
    for path, kind in types.items():
        assert (await site.get(path)).headers["content-type"] == kind
    head = await site.head("/")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(PAGE)))


async def test_a_compressed_file_beside_it_is_taken_and_ranges_are_understood(
    site: httpx.AsyncClient,
) -> None:
    packed = await site.get(HASHED, headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.headers["content-type"] == "text/javascript; charset=utf-8"
    assert packed.text == SCRIPT
    part = await site.get(HASHED, headers={"Range": "bytes=0-10", "Accept-Encoding": "identity"})
    assert (part.status_code, part.text) == (206, SCRIPT[:11])


OUTSIDE = [
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/assets/..%2f..%2fsecret.txt",
    "/..%5csecret.txt",
    "/.env",
    "/.git/config",
    "/out.txt",
    "/up/secret.txt",
    "/up/data",
    "//etc/passwd",
    "/assets",
    "/favicon.ico/",
    "/secret%00.txt",
    "/assets/gone-C0ffee99.js",
    "/gone.png",
]


async def test_nothing_outside_and_nothing_hidden_is_shown(site: httpx.AsyncClient) -> None:
    for path in OUTSIDE:
        url = httpx.URL(str(site.base_url)).copy_with(raw_path=path.encode())
        found = await site.send(httpx.Request("GET", url))
        assert "SECRET" not in found.text, path
        if path.endswith((".js", ".png", ".env", "config", ".txt")):
            assert (found.status_code, found.json()["success"]) == (404, False), path
        else:
            assert found.status_code == 404 or (found.status_code, found.text) == (200, PAGE), path


async def test_the_api_is_beside_it_and_never_the_page(site: httpx.AsyncClient) -> None:
    assert (await site.get("/api/health")).json()["data"] == "OK"
    assert (await site.get("/health")).json() == {"status": "ok"}
    for path in ("/api/nothing", "/api", "/vk/nothing", "/api/nothing/index.html"):
        found = await site.get(path, headers=HTML)
        assert (found.status_code, found.json()["success"]) == (404, False)
    assert (await site.post("/")).status_code == 405
    outsider = await site.get("/", headers={"Host": "evil.example"})
    assert (outsider.status_code, outsider.json()["success"]) == (403, False)
    origin = str(site.base_url).rstrip("/")
    same = await site.get(HASHED, headers={"Origin": origin, "Sec-Fetch-Site": "same-origin"})
    assert same.status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_a_link_lets_a_browser_in_where_a_token_is_wanted(tmp_path: Path, host: str) -> None:
    daemon = Daemon(tmp_path / "daemon")
    async with served(daemon, "--auth", "token", "--host", host) as site:
        assert (await site.get("/")).status_code == 401
        assert (await site.get("/api/info")).status_code == 401
        (link,) = (
            line.split()[-1]
            for line in daemon.log().splitlines()
            if "?token=" in line and str(site.base_url).rstrip("/") in line
        )
        first = await site.get(link)
        assert (first.status_code, first.headers["location"]) == (303, "/")
        assert (await site.get("/")).text == PAGE
        assert (await site.get("/api/health")).json()["data"] == "OK"


async def test_what_cannot_be_served_is_said_at_once(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "daemon")
    code, output = await daemon.refusal("--port", "0", "--ui", str(tmp_path))
    assert (code, "--vk-port" in output) == (2, True)
    code, output = await daemon.refusal("--port", "0", "--vk-port", "0", "--ui", str(tmp_path))
    assert (code, "there is no index.html" in output) == (1, True)
    code, output = await daemon.refusal("--port", "8097", "--vk-port", "8097")
    assert (code, "must be another one than --port" in output) == (2, True)


async def test_other_pages_may_link_to_it_and_allowed_ones_may_frame_it(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "daemon")
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    async with served(daemon, "--allowed-origin", "https://board.example:444") as site:
        framed = await site.get("/", headers={**HTML, **elsewhere, "Sec-Fetch-Dest": "iframe"})
        assert framed.status_code == 200
        policy = framed.headers["content-security-policy"]
        assert policy == "frame-ancestors 'self' vscode-webview: https://board.example:444"
        read = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
        assert (await site.get("/", headers=read)).status_code == 403
        assert (await site.get("/api/projects", headers=elsewhere)).status_code == 403
        posted = {**elsewhere, "Origin": "https://evil.example"}
        assert (await site.get("/", headers=posted)).status_code == 403
    assert "Traceback" not in daemon.log()


async def test_a_picture_in_a_description_is_shown_by_the_page(tmp_path: Path) -> None:
    async with served(Daemon(tmp_path / "daemon")) as client:
        files = {"image": ("dot.png", PNG, "image/png")}
        sent = await client.post("/api/images/upload", files=files)
        link = sent.json()["data"]["file_path"]
        for page in ("/projects/p/tasks/", "/projects/p/tasks/t/attempts/", "/"):
            displayed = await client.get(page + link, headers={"Accept": "image/*,*/*;q=0.8"})
            assert (displayed.status_code, displayed.content) == (200, PNG)
        assert (await client.get("/.vibe/images/.env")).status_code == 404
        assert (await client.get("/.vibe/images/", headers=HTML)).status_code == 404
