"""Signing in, pushing, pull requests and what becomes of them, as clients see it."""

from __future__ import annotations

import base64
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support.daemon import TIMEOUT_S, Daemon, Refused
from tests.support.fakes.servers.github_server import GitHubServer, github_server, publish

TOKEN = "ghp_adas_secret_token"
SLUG = "ada/tea"
TITLE = {"title": "Add hello", "body": "It says hello.", "target_branch": None}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubServer]:
    with github_server(tmp_path / "hub") as made:
        yield made


@pytest.fixture
async def daemon(tmp_path: Path, github: GitHubServer) -> AsyncIterator[Daemon]:
    """A daemon for which the fake is GitHub, and a file is the browser."""
    made = Daemon(tmp_path / "daemon")
    opener = tmp_path / "bin" / ("open" if sys.platform == "darwin" else "xdg-open")
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$1" >> {made.root}/browser\n')
    opener.chmod(0o755)
    made.environment |= {
        "PATH": f"{opener.parent}:{made.environment['PATH']}",
        "DISPLAY": ":0",
        "ANYON_GITHUB_URL": github.url,
        "ANYON_GITHUB_API_URL": github.api,
        "ANYON_GITHUB_CLIENT_ID": github.client_id,
    }
    async with made:
        yield made


async def worked(daemon: Daemon, github: GitHubServer, base: str = "main") -> dict[str, Any]:
    """An attempt with one commit, in a project whose `origin` is at GitHub; a token is set."""
    repository = daemon.repository()
    publish(repository, github, SLUG)
    project = await daemon.project(repository)
    await daemon.use_fake_agent()
    await daemon.ask("PUT", "/api/config", {"github": {"pat": TOKEN}})
    task = await daemon.ask(
        "POST",
        "/api/tasks/create-and-start",
        {
            "task": {"project_id": project["id"], "title": "Say hello", "description": "-"},
            "executor_profile_id": {"executor": "ACP", "variant": None},
            "base_branch": base,
        },
    )
    attempt = (await daemon.ask("GET", f"/api/task-attempts?task_id={task['id']}"))[0]
    await daemon.over(attempt)
    follow = {"prompt": "write hello.txt hello"}
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/follow-up", follow)
    await daemon.over(attempt)
    return attempt  # type: ignore[no-any-return]


async def refused(daemon: Daemon, path: str, body: object = None) -> Refused:
    with pytest.raises(Refused) as refusal:
        await daemon.ask("POST", path, body)
    return refusal.value


async def events(daemon: Daemon, kind: str, count: int) -> list[str]:
    """The data of the first `count` events of a kind since the beginning."""
    found: list[str] = []
    assert daemon._http is not None
    with trio.fail_after(TIMEOUT_S):
        async with daemon._http.stream("GET", "/api/events?after=0") as stream:
            current = ""
            async for line in stream.aiter_lines():
                if line.startswith("event: "):
                    current = line.removeprefix("event: ")
                elif line.startswith("data: ") and current == kind:
                    found.append(line.removeprefix("data: "))
                    if len(found) == count:
                        break
    return found


def branch_of(attempt: dict[str, Any]) -> str:
    return str(attempt["branch"])


# ---------------------------------------------------------------- signing in


async def test_a_person_signs_in_with_a_code(daemon: Daemon, github: GitHubServer) -> None:
    poll = "/api/auth/github/device/poll"
    assert (await refused(daemon, poll)).type == "no_device_flow"
    assert await daemon.ask("GET", "/api/auth/github/check") == "INVALID"
    code = await daemon.ask("POST", "/api/auth/github/device/start")
    assert code == {
        "user_code": "WDJB-MJHT",
        "verification_uri": f"{github.url}/login/device",
        "expires_in": 900,
        "interval": 0,
    }
    github.grants = [{"error": "authorization_pending"}, {"error": "slow_down", "interval": 30}]
    assert await daemon.ask("POST", poll) == "AUTHORIZATION_PENDING"
    assert await daemon.ask("POST", poll) == "SLOW_DOWN"
    asked = len(github.forms)
    assert await daemon.ask("POST", poll) == "SLOW_DOWN"
    assert len(github.forms) == asked, "GitHub was asked sooner than it allowed"

    await daemon.ask("POST", "/api/auth/github/device/start")
    github.grants = [{"access_token": TOKEN, "token_type": "bearer", "scope": "repo"}]
    assert await daemon.ask("POST", poll) == "SUCCESS"
    assert await daemon.ask("POST", poll) == "SUCCESS"
    assert await daemon.ask("GET", "/api/auth/github/check") == "VALID"
    config = (await daemon.ask("GET", "/api/info"))["config"]
    assert config["github"]["oauth_token"] == "********"
    assert config["github"]["username"] == "ada"
    assert config["github"]["primary_email"] == "ada@example.org"
    assert config["github_login_acknowledged"] is True
    github.git.tokens.clear()
    assert await daemon.ask("GET", "/api/auth/github/check") == "INVALID"
    assert TOKEN not in daemon.log()


@pytest.mark.parametrize(("pat", "saved"), [("ghp_expired", False), ("ghp_bobs", True)])
async def test_a_sign_in_takes_the_place_of_a_token_that_is_worth_nothing_any_more(
    daemon: Daemon, github: GitHubServer, pat: str, saved: bool
) -> None:
    github.git.tokens["ghp_bobs"] = "bob"
    await daemon.ask("PUT", "/api/config", {"github": {"pat": pat}})
    await daemon.ask("POST", "/api/auth/github/device/start")
    github.grants = [{"access_token": TOKEN, "token_type": "bearer", "scope": "repo"}]
    assert await daemon.ask("POST", "/api/auth/github/device/poll") == "SUCCESS"
    assert await daemon.ask("GET", "/api/auth/github/check") == "VALID"
    config = (await daemon.ask("GET", "/api/info"))["config"]
    assert config["github"]["pat"] == ("********" if saved else None)
    assert config["github"]["username"] == "ada"


@pytest.mark.parametrize("end", ["expired_token", "access_denied"])
async def test_a_sign_in_that_fails_says_how(
    daemon: Daemon, github: GitHubServer, end: str
) -> None:
    await daemon.ask("POST", "/api/auth/github/device/start")
    github.grants = [{"error": end, "error_description": "..."}]
    for _ in range(2):
        refusal = await refused(daemon, "/api/auth/github/device/poll")
        assert (refusal.status, refusal.type) == (409, end)
    assert len(github.forms) == 2


async def test_without_a_client_id_a_person_is_told_what_to_do(daemon: Daemon) -> None:
    await daemon.stop()
    del daemon.environment["ANYON_GITHUB_CLIENT_ID"]
    await daemon.start()
    refusal = await refused(daemon, "/api/auth/github/device/start")
    assert (refusal.status, refusal.type) == (409, "client_id_missing")
    assert "ANYON_GITHUB_CLIENT_ID" in refusal.body["message"]


async def test_a_check_that_github_does_not_answer_is_no_verdict(
    daemon: Daemon, github: GitHubServer
) -> None:
    await daemon.ask("PUT", "/api/config", {"github": {"pat": TOKEN}})
    for status, expected in ((500, 502), (429, 503)):
        github.fail("/user", status)
        answer = await daemon.request("GET", "/api/auth/github/check")
        assert answer.status_code == expected
    await daemon.stop()
    daemon.environment["ANYON_GITHUB_API_URL"] = "http://127.0.0.1:1"
    await daemon.start()
    answer = await daemon.request("GET", "/api/auth/github/check")
    assert answer.status_code == 503
    assert answer.json()["error_data"]["type"] == "unreachable"


# ---------------------------------------------------------------- from a branch to a merged one


async def test_from_a_branch_to_a_merged_pull_request(daemon: Daemon, github: GitHubServer) -> None:
    attempt = await worked(daemon, github)
    path = f"/api/task-attempts/{attempt['id']}"
    assert await daemon.ask("POST", f"{path}/pr/attach") == {
        "pr_attached": False,
        "pr_url": None,
        "pr_number": None,
        "pr_status": None,
    }
    url = await daemon.ask("POST", f"{path}/pr", TITLE)
    assert url == f"{github.url}/{SLUG}/pull/1"
    made = github.pull(SLUG, 1)
    assert (made["title"], made["body"]) == ("Add hello", "It says hello.")
    assert made["head"]["label"] == f"ada:{branch_of(attempt)}"
    assert made["base"]["ref"] == "main"
    worktree = Path(attempt["container_ref"])
    assert (
        github.git.refs(SLUG)[branch_of(attempt)]
        == daemon.git(worktree, "rev-parse", "HEAD").strip()
    )
    assert await daemon.ask("POST", f"{path}/pr", TITLE) == url
    assert len(github.pulls[SLUG]) == 1
    browser = daemon.root / "browser"

    async def displayed() -> bool:
        return browser.exists()

    await daemon.until(displayed, "the pull request in the browser")
    assert browser.read_text() == f"{url}\n"
    status = await daemon.ask("GET", f"{path}/branch-status")
    assert [(m["type"], m["pr_info"]["status"]) for m in status["merges"]] == [("pr", "open")]
    assert (status["remote_commits_ahead"], status["remote_commits_behind"]) == (0, 0)

    # While no daemon looks, it is merged; the next one finds out at once.
    await daemon.stop()
    github.merge(SLUG, 1)
    await daemon.start()

    async def done() -> bool:
        task = await daemon.ask("GET", f"/api/tasks/{attempt['task_id']}")
        return bool(task["status"] == "done")

    await daemon.until(done, "the end of the task")
    merge = (await daemon.ask("GET", f"{path}/branch-status"))["merges"][0]
    assert merge["pr_info"] == {
        "number": 1,
        "url": url,
        "status": "merged",
        "merged_at": "2026-01-02T03:04:05.000Z",
        "merge_commit_sha": "a" * 40,
    }
    reported = await events(daemon, "pr_status_changed", 2)
    assert '"status":"open"' in reported[0]
    assert '"status":"merged"' in reported[1]
    basic = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    for secret in (TOKEN, basic):
        assert secret not in daemon.log()
        assert secret not in "".join(reported)


async def test_a_pull_request_that_is_there_already_is_the_answer(
    daemon: Daemon, github: GitHubServer
) -> None:
    """As after a request that GitHub heard, and whose answer never arrived."""
    attempt = await worked(daemon, github, base="origin/main")
    made = github.open_pull(SLUG, f"ada:{branch_of(attempt)}", "main")
    path = f"/api/task-attempts/{attempt['id']}"
    assert await daemon.ask("POST", f"{path}/pr", TITLE) == made["html_url"]
    assert branch_of(attempt) in github.git.refs(SLUG)
    assert github.asked("POST", "/pulls") == []
    merges = (await daemon.ask("GET", f"{path}/branch-status"))["merges"]
    assert [m["target_branch_name"] for m in merges] == ["main"]


async def test_a_host_may_have_a_name_of_ones_own_in_the_configuration_of_ssh(
    daemon: Daemon, github: GitHubServer
) -> None:
    attempt = await worked(daemon, github)
    ssh = daemon.root / "programs" / "ssh"
    ssh.parent.mkdir(exist_ok=True)
    ssh.write_text(
        "#!/bin/sh\n"
        'case "$1 $3" in "-G hub-of-ada") echo user git; echo hostname 127.0.0.1; exit;; esac\n'
        f'for word; do :; done; cd {github.git.root} && eval "$word"\n'
    )
    ssh.chmod(0o755)
    worktree = Path(attempt["container_ref"])
    daemon.git(worktree, "remote", "set-url", "origin", f"git@hub-of-ada:{SLUG}.git")
    url = await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/pr", TITLE)
    assert url == f"{github.url}/{SLUG}/pull/1"
    assert branch_of(attempt) in github.git.refs(SLUG)
    daemon.git(worktree, "remote", "set-url", "origin", f"git@elsewhere:{SLUG}.git")
    refusal = await refused(daemon, f"/api/task-attempts/{attempt['id']}/pr/attach")
    assert refusal.type == "not_on_github"


async def test_ten_clients_make_one_pull_request(daemon: Daemon, github: GitHubServer) -> None:
    attempt = await worked(daemon, github)
    urls: list[str] = []
    refusals: list[str | None] = []

    async def client() -> None:
        try:
            urls.append(await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/pr", TITLE))
        except Refused as refusal:
            refusals.append(refusal.type)

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(client)
    assert set(urls) == {f"{github.url}/{SLUG}/pull/1"}
    assert set(refusals) <= {"busy"}
    assert len(github.pulls[SLUG]) == 1


async def test_an_open_pull_request_is_attached_rather_than_a_closed_one(
    daemon: Daemon, github: GitHubServer
) -> None:
    attempt = await worked(daemon, github)
    head = f"ada:{branch_of(attempt)}"
    github.open_pull(SLUG, head, "main")
    github.open_pull(SLUG, head, "develop")["state"] = "closed"
    path = f"/api/task-attempts/{attempt['id']}/pr/attach"
    assert await daemon.ask("POST", path) == {
        "pr_attached": True,
        "pr_url": f"{github.url}/{SLUG}/pull/1",
        "pr_number": 1,
        "pr_status": "open",
    }
    github.merge(SLUG, 1)
    assert (await daemon.ask("POST", path))["pr_number"] == 2
    await daemon.ask("PUT", "/api/config", {"github": {"pat": ""}})
    assert (await daemon.ask("POST", path))["pr_attached"] is True


async def test_a_push_after_a_rewrite_needs_force(daemon: Daemon, github: GitHubServer) -> None:
    attempt = await worked(daemon, github)
    path = f"/api/task-attempts/{attempt['id']}/push"
    assert await daemon.ask("POST", path) is None
    worktree = Path(attempt["container_ref"])
    daemon.git(worktree, "commit", "-q", "--amend", "-m", "Better")
    refusal = await refused(daemon, path)
    assert (refusal.status, refusal.type) == (409, "rejected")
    assert await daemon.ask("POST", path, {"force": True}) is None
    head = daemon.git(worktree, "rev-parse", "HEAD").strip()
    assert github.git.refs(SLUG)[branch_of(attempt)] == head


async def test_what_is_pushed_is_all_that_a_merge_would_bring(
    daemon: Daemon, github: GitHubServer
) -> None:
    attempt = await worked(daemon, github)
    path = f"/api/task-attempts/{attempt['id']}"
    worktree = Path(attempt["container_ref"])
    (worktree / "new.txt").write_text("new\n")
    (worktree / "README.md").write_text("edited\n")
    ask = ("rev-parse", "--path-format=absolute", "--git-path", "hooks/pre-commit")
    hook = Path(daemon.git(worktree, *ask).strip())
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'lint failed' >&2; exit 1\n")
    hook.chmod(0o755)
    for target, body in ((f"{path}/push", None), (f"{path}/pr", TITLE)):
        refusal = await refused(daemon, target, body)
        assert "lint failed" in refusal.body["message"]
    assert branch_of(attempt) not in github.git.refs(SLUG)
    hook.unlink()
    await daemon.ask("POST", f"{path}/pr", TITLE)
    pushed = github.git.refs(SLUG)[branch_of(attempt)]
    assert daemon.git(worktree, "show", f"{pushed}:new.txt") == "new\n"
    assert daemon.git(worktree, "show", f"{pushed}:README.md") == "edited\n"
    (worktree / "more.txt").write_text("more\n")
    await daemon.ask("POST", f"{path}/push")
    pushed = github.git.refs(SLUG)[branch_of(attempt)]
    assert daemon.git(worktree, "show", f"{pushed}:more.txt") == "more\n"


async def test_a_remote_that_pushes_to_a_fork_has_its_pull_request_where_it_fetches_from(
    daemon: Daemon, github: GitHubServer
) -> None:
    attempt = await worked(daemon, github)
    path = f"/api/task-attempts/{attempt['id']}"
    worktree = Path(attempt["container_ref"])
    publish(worktree, github, "upstream/tea", "elsewhere")
    daemon.git(worktree, "remote", "remove", "elsewhere")
    daemon.git(worktree, "remote", "set-url", "origin", f"{github.url}/upstream/tea.git")
    daemon.git(worktree, "remote", "set-url", "--push", "origin", f"{github.url}/{SLUG}.git")
    url = await daemon.ask("POST", f"{path}/pr", TITLE)
    assert url == f"{github.url}/upstream/tea/pull/1"
    head = github.pull("upstream/tea", 1)["head"]["label"]
    assert head == f"ada:{branch_of(attempt)}"
    assert branch_of(attempt) in github.git.refs(SLUG)
    assert branch_of(attempt) not in github.git.refs("upstream/tea")
    assert SLUG not in github.pulls
    assert (await daemon.ask("POST", f"{path}/pr/attach"))["pr_url"] == url
    assert await daemon.ask("POST", f"{path}/pr", TITLE) == url
    assert len(github.pulls["upstream/tea"]) == 1


# ---------------------------------------------------------------- what goes wrong


async def test_every_refusal_has_its_name(daemon: Daemon, github: GitHubServer) -> None:
    attempt = await worked(daemon, github)
    path = f"/api/task-attempts/{attempt['id']}"
    push, pr = f"{path}/push", f"{path}/pr"
    worktree = Path(attempt["container_ref"])

    await daemon.ask("PUT", "/api/config", {"github": {"pat": None}})
    for target, body in ((push, None), (pr, TITLE)):
        refusal = await refused(daemon, target, body)
        assert (refusal.status, refusal.type) == (409, "token_missing")
    await daemon.ask("PUT", "/api/config", {"github": {"pat": "ghp_wrong"}})
    for target, body in ((push, None), (pr, TITLE)):
        assert (await refused(daemon, target, body)).type == "token_invalid"
    assert branch_of(attempt) not in github.git.refs(SLUG)
    await daemon.ask("PUT", "/api/config", {"github": {"pat": TOKEN}})

    for status, message, type in (
        (403, "Resource not accessible", "insufficient_permissions"),
        (404, "Not Found", "repo_not_found_or_no_access"),
        (500, "", "remote_failed"),
    ):
        github.fail("/pulls", status, message)
        assert (await refused(daemon, pr, TITLE)).type == type
    for status, text, type in (
        (403, "denied to ada", "insufficient_permissions"),
        (404, "Repository not found.", "repo_not_found_or_no_access"),
    ):
        github.git.answers = {SLUG: (status, text)}
        assert (await refused(daemon, push)).type == type
    github.git.answers = {}

    refusal = await refused(daemon, pr, {"title": "x", "target_branch": "no-such-branch"})
    assert refusal.status == 422
    assert refusal.body["error_data"]["field"] == "target_branch"
    for bad in ({"title": " "}, {"body": "x"}, {"title": "x", "target_branch": "a..b"}):
        assert (await refused(daemon, pr, bad)).status == 400
    assert github.pulls.get(SLUG, []) == []

    repository = worktree
    daemon.git(repository, "push", "-q", str(github.git.repository(SLUG)), "HEAD:refs/heads/main")
    assert (await refused(daemon, pr, TITLE)).type == "nothing_to_merge"
    github.readers.add("ada")
    assert (await refused(daemon, pr, TITLE)).type == "insufficient_permissions"

    daemon.git(repository, "remote", "set-url", "origin", str(github.git.repository(SLUG)))
    assert (await refused(daemon, pr, TITLE)).type == "not_on_github"
    await daemon.ask("PUT", "/api/config", {"github": {"pat": None}})
    assert await daemon.ask("POST", push) is None, "a path needs no token"
    daemon.git(repository, "remote", "remove", "origin")
    for target, body in ((push, None), (pr, TITLE), (f"{pr}/attach", None)):
        refusal = await refused(daemon, target, body)
        assert (refusal.status, refusal.type) == (409, "no_remote")
    assert TOKEN not in daemon.log()


async def test_a_busy_attempt_is_not_pushed(daemon: Daemon, github: GitHubServer) -> None:
    attempt = await worked(daemon, github)
    path = f"/api/task-attempts/{attempt['id']}"
    await daemon.ask("POST", f"{path}/follow-up", {"prompt": "run sleep 60"})
    for target, body in ((f"{path}/push", None), (f"{path}/pr", TITLE)):
        assert (await refused(daemon, target, body)).type == "busy"
    await daemon.ask("POST", f"{path}/stop")


async def test_a_client_that_leaves_leaves_no_pull_request_unknown(
    daemon: Daemon, github: GitHubServer
) -> None:
    attempt = await worked(daemon, github)
    path = f"/api/task-attempts/{attempt['id']}"
    github.held = ("POST", "/pulls")
    with trio.fail_after(TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: daemon.request("POST", f"{path}/pr", json=TITLE))
            while not github.asked("POST", "/pulls"):
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()
    assert (await refused(daemon, f"{path}/push")).type == "busy"
    github.release.set()

    async def attached() -> Any:
        return (await daemon.ask("GET", f"{path}/branch-status"))["merges"]

    merges = await daemon.until(attached, "the pull request")
    assert [m["pr_info"]["number"] for m in merges] == [1]
    assert len(github.pulls[SLUG]) == 1


async def test_an_impossible_github_is_refused_at_the_start(daemon: Daemon) -> None:
    await daemon.stop()
    daemon.environment["ANYON_GITHUB_URL"] = "http://git.example.com"
    with pytest.raises(AssertionError, match="ANYON_GITHUB_URL"):
        await daemon.start()
