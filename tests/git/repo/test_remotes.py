"""Which remote is meant, and a push that arrives, or says why it does not."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from anyond.git.diff import status
from anyond.git.repo import pushing, remotes
from anyond.git.repo.repository import Repositories
from anyond.model.errors import AnyondError
from anyond.model.refusals.remotes import (
    InsufficientPermissions,
    NoRemote,
    RateLimited,
    Rejected,
    RepositoryNotFound,
    Slow,
    TokenInvalid,
    Unexpected,
    Unreachable,
)
from anyond.model.refusals.requests import Impossible
from tests.support.checkout import Checkout
from tests.support.fakes.servers.git_http_server import GitHttp, git_http

TOKEN = "ghp_adas_secret_token"
BASIC = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHttp]:
    monkeypatch.setenv("NO_PROXY", "*")
    with git_http(tmp_path / "hub", tokens={TOKEN: "ada"}) as made:
        made.repository("ada/tea")
        yield made


@pytest.fixture
def published(server: GitHttp, repo: Checkout, attempt: Checkout) -> Checkout:
    """The attempt's worktree, with the server as `origin`."""
    repo.git("remote", "add", "origin", f"{server.url}/ada/tea.git")
    return attempt


async def push(
    repos: Repositories, worktree: Checkout, token: str | None = TOKEN, **more: bool | float
) -> None:
    remote = await remotes.of_target(worktree.path, "main")
    await pushing.push(repos, worktree.path, remote, "work", token=token, **more)  # type: ignore[arg-type]


def add(repo: Checkout, *names: str) -> None:
    for name in names:
        repo.git("remote", "add", name, f"https://example.org/{name}.git")
        repo.git("update-ref", f"refs/remotes/{name}/main", "main")


# ---------------------------------------------------------------- which remote


async def test_the_remote_is_the_targets_else_origin_else_the_only_one(repo: Checkout) -> None:
    with pytest.raises(NoRemote, match="no remote"):
        await remotes.of_target(repo.path, "main")
    add(repo, "alpha")
    assert (await remotes.of_target(repo.path, "main")).name == "alpha"
    add(repo, "beta")
    with pytest.raises(NoRemote, match="alpha, beta"):
        await remotes.of_target(repo.path, "main")
    add(repo, "origin")
    assert (await remotes.of_target(repo.path, "main")).name == "origin"
    repo.git("branch", "--set-upstream-to=beta/main", "main")
    assert (await remotes.of_target(repo.path, "main")).name == "beta"


async def test_a_remote_branch_names_its_remote_and_loses_the_prefix(repo: Checkout) -> None:
    add(repo, "team", "team/blue", "origin")
    remote = await remotes.of_target(repo.path, "team/blue/main")
    assert remote.name == "team/blue"
    assert await remotes.branch_there(repo.path, "team/blue/main", remote) == "main"
    repo.git("branch", "team/local")
    remote = await remotes.of_target(repo.path, "team/local")
    assert remote.name == "origin"
    assert await remotes.branch_there(repo.path, "team/local", remote) == "team/local"


async def test_a_fork_is_pushed_to_where_git_is_told_to(repo: Checkout) -> None:
    add(repo, "origin", "fork")
    origin = await remotes.of_target(repo.path, "main")
    assert (await remotes.for_push(repo.path, "work", "main", origin)).name == "origin"
    repo.git("config", "remote.pushDefault", "fork")
    assert (await remotes.for_push(repo.path, "work", "main", origin)).name == "fork"
    repo.git("config", "branch.work.pushRemote", "origin")
    assert (await remotes.for_push(repo.path, "work", "main", origin)).name == "origin"


async def test_a_branch_without_settings_goes_where_pushes_of_its_target_go(
    repo: Checkout,
) -> None:
    add(repo, "origin", "fork", "third")
    origin = await remotes.of_target(repo.path, "main")
    repo.git("config", "branch.main.pushRemote", "fork")
    assert (await remotes.for_push(repo.path, "work", "main", origin)).name == "fork"
    repo.git("config", "branch.work.remote", ".")
    assert (await remotes.for_push(repo.path, "work", "main", origin)).name == "fork"
    repo.git("config", "branch.work.remote", "origin")
    assert (await remotes.for_push(repo.path, "work", "main", origin)).name == "origin"
    repo.git("config", "remote.pushDefault", "third")
    assert (await remotes.for_push(repo.path, "work", "main", origin)).name == "third"


@pytest.mark.parametrize("key", ["branch.work.pushRemote", "remote.pushDefault"])
async def test_a_place_to_push_to_may_be_an_address(
    repos: Repositories, repo: Checkout, attempt: Checkout, tmp_path: Path, key: str
) -> None:
    add(repo, "origin")
    repo.git("init", "-q", "--bare", tmp_path / "fork.git")
    repo.git("config", f"url.{tmp_path}/.pushInsteadOf", "forks:")
    repo.git("config", key, "forks:fork.git")
    origin = await remotes.of_target(repo.path, "main")
    remote = await remotes.for_push(repo.path, "work", "main", origin)
    assert (remote.push_url, remote.named) == (f"{tmp_path}/fork.git", False)
    await pushing.push(repos, attempt.path, remote, "work")
    assert Checkout(tmp_path / "fork.git").oid("work") == attempt.oid()


async def test_what_is_configured_and_not_there_is_pushed_nowhere_else(repo: Checkout) -> None:
    add(repo, "origin")
    origin = await remotes.of_target(repo.path, "main")
    repo.git("config", "remote.pushDefault", "gone")
    with pytest.raises(NoRemote, match=r"remote\.pushDefault names gone"):
        await remotes.for_push(repo.path, "work", "main", origin)


async def test_one_branch_goes_to_a_mirror(
    repos: Repositories, repo: Checkout, attempt: Checkout, tmp_path: Path
) -> None:
    repo.git("init", "-q", "--bare", tmp_path / "there.git")
    repo.git("remote", "add", "--mirror=push", "origin", tmp_path / "there.git")
    await pushing.push(repos, attempt.path, await remotes.of_target(repo.path, "main"), "work")
    there = Checkout(tmp_path / "there.git")
    assert there.git("for-each-ref", "--format=%(refname)") == "refs/heads/work"


async def test_a_local_target_is_called_at_the_remote_as_the_branch_that_it_follows(
    repo: Checkout,
) -> None:
    add(repo, "origin", "fork")
    repo.git("branch", "trunk")
    origin = await remotes.of_target(repo.path, "trunk")
    assert await remotes.branch_there(repo.path, "trunk", origin) == "trunk"
    repo.git("config", "branch.trunk.remote", "origin")
    repo.git("config", "branch.trunk.merge", "refs/heads/main")
    assert await remotes.branch_there(repo.path, "trunk", origin) == "main"
    fork = await remotes.for_push(repo.path, "x", "main", origin)
    repo.git("config", "branch.trunk.remote", "fork")
    assert await remotes.branch_there(repo.path, "trunk", fork) == "trunk"


async def test_addresses_are_those_that_git_really_uses(repo: Checkout) -> None:
    add(repo, "origin")
    repo.git("config", "url.https://mirror.example/.insteadOf", "https://example.org/")
    repo.git("config", "url.git@example.org:.pushInsteadOf", "https://example.org/")
    remote = await remotes.of_target(repo.path, "main")
    assert remote.address.host == "mirror.example"
    assert (remote.push_address.scheme, remote.push_address.host) == ("ssh", "example.org")


# ---------------------------------------------------------------- a push that arrives


async def test_a_push_arrives_and_is_followed_from_then_on(
    repos: Repositories, published: Checkout, server: GitHttp
) -> None:
    oid = published.commit({"a.txt": "a\n"})
    await push(repos, published)
    assert server.refs("ada/tea") == {"work": oid}
    assert published.git("rev-parse", "work@{upstream}") == oid
    published.commit({"a.txt": "b\n"})
    seen = await status.branch_status(published.path, published.path, "work", "main")
    assert (seen.remote_commits_ahead, seen.remote_commits_behind) == (1, 0)
    await push(repos, published)
    await push(repos, published)


async def test_a_push_to_a_path_needs_no_token(
    repos: Repositories, repo: Checkout, attempt: Checkout, tmp_path: Path
) -> None:
    bare = tmp_path / "bäre repository"
    repo.git("init", "-q", "--bare", bare)
    repo.git("remote", "add", "origin", bare)
    await push(repos, attempt, token=None)
    assert Checkout(bare).oid("refs/heads/work") == attempt.oid()


async def test_the_token_is_in_no_argument_and_goes_to_no_other_host(
    repos: Repositories, published: Checkout, server: GitHttp, tmp_path: Path
) -> None:
    reported = tmp_path / "told"
    look = "import psutil; print([p.info for p in psutil.process_iter(['cmdline'])])"
    published.hook("pre-push", f'{sys.executable} -c "{look}" > {reported}')
    await push(repos, published)
    text = reported.read_text(errors="replace")
    assert "'--porcelain'" in text
    assert TOKEN not in text
    assert BASIC not in text
    assert {seen.authorization for seen in server.seen} == {f"Basic {BASIC}"}
    assert not any(TOKEN in seen.path or BASIC in seen.path for seen in server.seen)
    config = Path(published.git("rev-parse", "--path-format=absolute", "--git-common-dir"))
    assert TOKEN not in (config / "config").read_text()
    with git_http(tmp_path / "other", tokens={TOKEN: "ada"}) as other:
        other.repository("ada/tea")
        server.redirects["ada/tea"] = other.url
        published.commit({"b.txt": "b\n"})
        with pytest.raises(AnyondError):
            await push(repos, published)
        assert [seen.authorization for seen in other.seen] == [None]


async def test_the_token_is_in_no_environment_and_in_no_file_afterwards(
    repos: Repositories, published: Checkout, server: GitHttp, tmp_path: Path
) -> None:
    """What a hook starts may write its environment anywhere: into a log, a report, a cache."""
    reported = tmp_path / "told"
    look = "import psutil; print([p.info for p in psutil.process_iter(['environ'])])"
    for hook in ("pre-push", "reference-transaction"):
        published.hook(hook, f'{sys.executable} -c "{look}" >> {reported}')
    await push(repos, published)
    text = reported.read_text(errors="replace")
    assert text.count("GIT_TERMINAL_PROMPT") > 2, "git itself was looked at"
    assert TOKEN not in text
    assert BASIC not in text
    assert {seen.authorization for seen in server.seen} == {f"Basic {BASIC}"}
    own = Path(published.git("rev-parse", "--path-format=absolute", "--git-common-dir"))
    files = [file for file in own.rglob("*") if file.is_file()]
    assert len(files) > 5
    assert not [file for file in files if BASIC.encode() in file.read_bytes()]
    assert not [file for file in files if TOKEN.encode() in file.read_bytes()]


async def test_our_token_counts_whatever_else_is_configured(
    repos: Repositories, published: Checkout, server: GitHttp
) -> None:
    published.git("remote", "set-url", "origin", f"http://me:old@127.0.0.1:{server.port}/ada/tea")
    published.git("config", f"http.{server.url}/ada.extraHeader", "Authorization: Basic b2xk")
    published.git("config", "http.extraHeader", "Authorization: Basic b2xk")
    published.git("config", f"credential.{server.url}.helper", "!touch asked; false")
    await push(repos, published)
    assert {seen.authorization for seen in server.seen} == {f"Basic {BASIC}"}
    with pytest.raises(TokenInvalid):
        await push(repos, published, token="ghp_wrong")
    assert not (published.path / "asked").exists()


# ---------------------------------------------------------------- force


async def test_after_a_rebase_only_a_forced_push_arrives(
    repos: Repositories, published: Checkout, server: GitHttp
) -> None:
    published.commit({"a.txt": "a\n"})
    await push(repos, published)
    published.git("commit", "-q", "--amend", "-m", "better")
    with pytest.raises(Rejected) as refusal:
        await push(repos, published)
    assert (refusal.value.type, refusal.value.reason) == ("rejected", "non_fast_forward")
    await push(repos, published, force=True)
    assert server.refs("ada/tea")["work"] == published.oid()


async def test_a_forced_push_never_overwrites_what_was_not_seen_here(
    repos: Repositories, published: Checkout, server: GitHttp, tmp_path: Path
) -> None:
    published.commit({"a.txt": "a\n"})
    await push(repos, published)
    other = tmp_path / "other"
    published.git("clone", "-q", "-b", "work", server.repository("ada/tea"), other)
    theirs = Checkout(other).commit({"b.txt": "b\n"})
    Checkout(other).git("push", "-q")
    published.git("commit", "-q", "--amend", "-m", "better")
    for _ in range(2):
        with pytest.raises(Rejected) as refusal:
            await push(repos, published, force=True)
        assert refusal.value.reason == "stale"
        assert server.refs("ada/tea")["work"] == theirs
        # An editor that fetches in the background must not count as having seen it.
        bare = server.repository("ada/tea")
        published.git("fetch", "-q", bare, "work:refs/remotes/origin/work")


async def test_a_forced_push_of_a_branch_that_was_never_pushed_may_only_create(
    repos: Repositories, published: Checkout, server: GitHttp
) -> None:
    published.git("push", "-q", server.repository("ada/tea"), "main:work")
    published.commit({"a.txt": "a\n"})
    with pytest.raises(Rejected):
        await push(repos, published, force=True)
    published.git("--git-dir", server.repository("ada/tea"), "update-ref", "-d", "refs/heads/work")
    await push(repos, published, force=True)
    assert server.refs("ada/tea")["work"] == published.oid()


# ---------------------------------------------------------------- a push that does not


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (401, "", TokenInvalid),
        (403, "Permission to ada/tea.git denied to ada.", InsufficientPermissions),
        (404, "Repository not found.", RepositoryNotFound),
        (429, "", RateLimited),
        (500, "", Unexpected),
        (503, "Unicorn!", Unexpected),
    ],
)
async def test_each_answer_has_its_meaning(
    repos: Repositories,
    published: Checkout,
    server: GitHttp,
    status: int,
    text: str,
    expected: type[AnyondError],
) -> None:
    # A server that is mean enough to repeat what it was sent.
    server.answers["ada/tea"] = (status, f"{text}\n{TOKEN} {BASIC}")
    with pytest.raises(expected) as refusal:
        await push(repos, published)
    assert text in str(refusal.value)
    reported = f"{refusal.value}{refusal.value.data}"
    assert TOKEN not in reported
    assert BASIC not in reported
    assert published.git("config", "--get", "branch.work.remote", code=1) == ""


async def test_rules_of_the_remote_are_told_in_its_words(
    repos: Repositories, published: Checkout, server: GitHttp
) -> None:
    hook = server.repository("ada/tea") / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'error: GH006: Protected branch' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(Rejected, match="GH006: Protected branch") as refusal:
        await push(repos, published)
    assert refusal.value.reason == "remote"


async def test_a_hook_over_here_is_told_apart(repos: Repositories, published: Checkout) -> None:
    published.hook("pre-push", "echo tests are red >&2; exit 1")
    with pytest.raises(Rejected, match="tests are red") as refusal:
        await push(repos, published)
    assert refusal.value.reason == "local_hook"


async def test_nobody_there_nowhere_and_nothing_to_push_are_told_apart(
    repos: Repositories, published: Checkout, tmp_path: Path
) -> None:
    published.git("remote", "set-url", "origin", "http://127.0.0.1:1/ada/tea.git")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        await push(repos, published)
    published.git("remote", "set-url", "origin", tmp_path / "nowhere.git")
    with pytest.raises(RepositoryNotFound):
        await push(repos, published, token=None)
    remote = await remotes.of_target(published.path, "main")
    with pytest.raises(Impossible):
        await pushing.push(repos, published.path, remote, "no-such-branch")


async def test_ssh_is_gits_own_affair_and_never_asks_a_person(
    repos: Repositories, published: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published.git("remote", "set-url", "origin", "git@github.com:ada/tea.git")
    program = tmp_path / "ssh"
    program.write_text(
        "#!/bin/sh\necho 'git@github.com: Permission denied (publickey).' >&2; exit 255\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", os.fspath(program))
    with pytest.raises(InsufficientPermissions, match="publickey"):
        await push(repos, published, token=None)


async def test_a_server_that_falls_silent_is_left(repos: Repositories, published: Checkout) -> None:
    published.hook("pre-push", "sleep 60")
    with pytest.raises(Slow, match="origin"):
        await push(repos, published, timeout=0.5)
