"""The board at `/`: its files, who gets them, and the policy that they live by."""

from __future__ import annotations

import re
from pathlib import Path

from anyond.http.board.pages import POLICY
from anyond.http.guard import Policy
from tests.support.http.front_door import Server, envelope, open_server
from tests.support.paths import ROOT

SITE = ROOT / "anyond/http/board/site"
NAVIGATED = {
    "sec_fetch_site": "cross-site",
    "sec_fetch_mode": "navigate",
    "sec_fetch_dest": "document",
}


async def test_the_page_and_all_that_it_names_are_served(server: Server) -> None:
    page = await server.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    named = set(re.findall(r'(?:src|href)="\./([^"]+)"', page.text))
    assert {name.rpartition(".")[2] for name in named} == {"js", "css", "svg", "webmanifest"}
    for name in named:
        answer = await server.get(f"/{name}")
        assert (name, answer.status_code) == (name, 200)
        assert answer.content == (SITE / re.sub(r"^assets/\w+/", "assets/", name)).read_bytes()
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_every_file_that_the_build_names_is_there(server: Server) -> None:
    [version] = set(re.findall(r"\./assets/(\w+)/", (await server.get("/")).text))
    names = {path.name for path in (SITE / "assets").iterdir()}
    for path in (SITE / "assets").glob("*.js"):
        named = set(re.findall(r"""["'`](?:\./)?([\w-]+\.(?:js|css))["'`]""", path.read_text()))
        assert named <= names
    for name in names:
        assert (await server.get(f"/assets/{version}/{name}")).status_code == 200


async def test_assets_are_kept_for_ever_and_the_page_is_asked_for_again(server: Server) -> None:
    page = await server.get("/")
    assert page.headers["cache-control"] == "no-cache"
    known = await server.get("/", if_none_match=page.headers["etag"])
    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["content-security-policy"] == POLICY
    [script] = re.findall(r'src="\.(/assets/\w+/[^"]+)"', page.text)
    answer = await server.get(script)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    other = re.sub(r"/assets/\w+/", "/assets/0123456789abcdef/", script)
    assert (await server.get(other)).status_code == 404
    for path in ("/assets/", "/assets/x", "/assets/../index.html", script.replace("/assets", "")):
        assert (await server.get(path)).status_code == 404


async def test_other_methods_are_refused_and_a_head_has_no_body(server: Server) -> None:
    head = await server.client.head("/")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0
    refused = await server.client.post("/")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    envelope(refused)


async def test_a_link_of_another_site_may_lead_to_the_page_and_to_nothing_else(
    server: Server,
) -> None:
    assert (await server.get("/", **NAVIGATED)).status_code == 200
    assert (await server.get("/api/projects", **NAVIGATED)).status_code == 403
    for headers in (
        {**NAVIGATED, "sec_fetch_mode": "no-cors"},
        {"origin": "https://evil.example"},
        {"host": "evil.example"},
    ):
        assert (await server.get("/", **headers)).status_code == 403
    assert "frame-ancestors 'none'" in POLICY


async def test_with_a_token_nobody_sees_the_page_without_it(tmp_path: Path) -> None:
    policy = Policy(token="s3cret")
    async with open_server(tmp_path, policy=policy) as server:
        assert (await server.get("/")).status_code == 401
        assert (await server.get("/icon.svg")).status_code == 401
        welcome = await server.get(f"/?token={policy.link()}")
        assert (welcome.status_code, welcome.headers["location"]) == (303, "/")
        assert (await server.get("/")).status_code == 200


async def test_listeners_for_clients_of_vibe_kanban_have_no_board(server: Server) -> None:
    for path in ("/vk/", "/vk/icon.svg"):
        assert (await server.get(path)).status_code == 404
