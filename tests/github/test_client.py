"""GitHub is asked over real sockets, and what it answers is understood."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anyond.github import sign_in
from anyond.github.client import GitHub, usable
from anyond.github.site import RepositoryName, Site
from anyond.model.errors import AnyondError, Conflict
from anyond.model.refusals.remotes import (
    InsufficientPermissions,
    RateLimited,
    RepositoryNotFound,
    Slow,
    TokenInvalid,
    Unexpected,
    Unreachable,
)
from anyond.model.refusals.requests import Impossible
from tests.support.fakes.servers.github_server import GitHubServer, github_server

TOKEN = "ghp_adas_secret_token"
TEA = RepositoryName("ada", "tea")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with github_server(tmp_path / "hub") as made:
        made.git.repository(str(TEA))
        yield made


@pytest.fixture
def github(server: GitHubServer) -> GitHub:
    return GitHub(Site(server.url, server.api), timeout_s=20)


async def test_a_token_tells_whose_it_is(github: GitHub, server: GitHubServer) -> None:
    assert (await github.user(TOKEN)).login == "ada"
    assert await github.primary_email(TOKEN) == "ada@example.org"
    assert server.seen[0].authorization == f"Bearer {TOKEN}"
    assert TOKEN not in server.seen[0].path


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (401, {}, TokenInvalid),
        (403, {}, InsufficientPermissions),
        (404, {}, RepositoryNotFound),
        (422, {}, Impossible),
        (429, {}, RateLimited),
        (403, {"retry_after": "7"}, RateLimited),
        (500, {}, Unexpected),
        (502, {}, Unexpected),
        (304, {}, Unexpected),
    ],
)
async def test_each_status_has_its_meaning(
    github: GitHub,
    server: GitHubServer,
    status: int,
    headers: dict[str, str],
    expected: type[AnyondError],
) -> None:
    server.fail("/pulls", status, "Because", times=1, **headers)
    with pytest.raises(expected) as refusal:
        await github.pull_requests_from(TOKEN, TEA, "ada", "work", "open")
    assert TOKEN not in str(refusal.value)


async def test_a_rate_limit_is_kept_to_without_asking_again(
    github: GitHub, server: GitHubServer
) -> None:
    reset = str(int(time.time()) + 100)
    server.fail(
        "/user", 403, "API rate limit exceeded", x_ratelimit_remaining="0", x_ratelimit_reset=reset
    )
    for _ in range(2):
        with pytest.raises(RateLimited) as refusal:
            await github.user(TOKEN)
        assert 80 < refusal.value.retry_after_s <= 101
        assert refusal.value.data is not None
        assert refusal.value.data["type"] == "rate_limited"
    assert len(server.seen) == 1
    with pytest.raises(TokenInvalid):
        await github.user("ghp_of_somebody_else")


async def test_silence_ends_at_the_deadline(server: GitHubServer) -> None:
    server.held = ("GET", "/user")
    with pytest.raises(Slow, match=r"0\.2 s"):
        await GitHub(Site(server.url, server.api), timeout_s=0.2).user(TOKEN)


async def test_nobody_there_is_told_as_such() -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        await GitHub(Site("http://127.0.0.1:1", "http://127.0.0.1:1")).user(TOKEN)


async def test_what_cannot_be_read_is_no_crash(github: GitHub, server: GitHubServer) -> None:
    server.garble("/user")
    with pytest.raises(Unexpected, match="unexpected answer"):
        await github.user(TOKEN)


async def test_an_unchanged_pull_request_is_not_sent_twice(
    github: GitHub, server: GitHubServer
) -> None:
    server.open_pull("ada/tea", "ada:work", "main")
    first = await github.pull_request(TOKEN, TEA, 1)
    assert first is not None
    assert first.pull_request.info.status == "open"
    assert first.pull_request.info.merge_commit_sha is None
    assert await github.pull_request(TOKEN, TEA, 1, first.etag) is None
    server.merge("ada/tea", 1)
    second = await github.pull_request(TOKEN, TEA, 1, first.etag)
    assert second is not None
    info = second.pull_request.info
    assert (info.status, info.merge_commit_sha) == ("merged", "a" * 40)
    assert info.merged_at == "2026-01-02T03:04:05.000Z"


async def test_a_renamed_repository_is_followed_but_the_token_stays_on_its_host(
    github: GitHub, server: GitHubServer, tmp_path: Path
) -> None:
    server.fail("/user", 301, Location=f"{server.api}/user")
    assert (await github.user(TOKEN)).login == "ada"
    with github_server(tmp_path / "elsewhere") as outsider:
        server.fail("/user", 302, Location=f"{outsider.api}/user")
        with pytest.raises(TokenInvalid):
            await github.user(TOKEN)
        assert [seen.authorization for seen in outsider.seen] == [None]


async def test_a_branch_that_github_does_not_find_is_named(
    github: GitHub, server: GitHubServer
) -> None:
    """As after a repository got another owner: git follows it there, a pull request does not."""
    here = ["git", "-C", str(server.git.repository("ada/tea"))]
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@localhost"]
    tree = subprocess.check_output([*here, "mktree"], input="", text=True).strip()
    made = subprocess.check_output([*here, *who, "commit-tree", "-m", "x", tree], text=True)
    subprocess.run([*here, "update-ref", "refs/heads/main", made.strip()], check=True)
    with pytest.raises(Impossible, match="finds no branch former-owner:work") as refusal:
        await github.create_pull_request(
            TOKEN, TEA, title="x", body="", head="former-owner:work", base="main"
        )
    assert "git remote set-url" in str(refusal.value)


async def test_a_sign_in_begins_and_is_asked_about(github: GitHub, server: GitHubServer) -> None:
    code = await sign_in.begin(github, server.client_id)
    assert (code.user_code, code.expires_in) == ("WDJB-MJHT", 900)
    assert server.forms[0]["scope"] == sign_in.SCOPES
    server.grants = [{"error": "authorization_pending"}, {"access_token": TOKEN}]
    assert (await sign_in.ask(github, server.client_id, code.device_code)).error is not None
    assert (await sign_in.ask(github, server.client_id, code.device_code)).access_token == TOKEN
    assert server.forms[-1]["grant_type"].endswith(":device_code")


async def test_a_sign_in_that_github_does_not_allow_is_refused(
    github: GitHub, server: GitHubServer
) -> None:
    with pytest.raises(Conflict) as refusal:
        await sign_in.begin(github, "unknown")
    assert refusal.value.type == "device_flow_refused"
    server.grants = [{"error": "incorrect_device_code", "error_description": "It is not right."}]
    with pytest.raises(Conflict, match="It is not right"):
        await sign_in.ask(github, server.client_id, "x")
    server.fail("/login/device/code", 503)
    with pytest.raises(Unexpected):
        await sign_in.begin(github, server.client_id)


@pytest.mark.parametrize("token", ["a b", "a\nX-Evil: 1", "tökén", "a\x7f"])
def test_what_would_break_a_header_is_no_token(token: str) -> None:
    assert not usable(token)
    assert usable(TOKEN)
