"""Git as the person has set it up by their environment, and as nobody else has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anyond.git.commits.commit import commit_all
from anyond.git.program.command import git
from anyond.git.program.environment import environment, settings
from anyond.git.repo import pushing, remotes, repository
from anyond.git.repo.repository import Repositories
from anyond.model.refusals.remotes import TokenInvalid, TokenMissing
from tests.support.checkout import Checkout
from tests.support.fakes.servers.git_http_server import git_http

TOKEN = "s3cret"


async def names(checkout: Checkout) -> str:
    checkout.write("new.txt")
    await commit_all(checkout.path, "message")
    return checkout.git("log", "-1", "--format=%an <%ae> %cn <%ce>")


async def test_who_commits_is_told_by_the_environment(
    attempt: Checkout, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".gitconfig").write_text("")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", role.title())
        monkeypatch.setenv(f"GIT_{role}_EMAIL", f"{role.lower()}@x")
    assert await names(attempt) == "Author <author@x> Committer <committer@x>"


async def test_settings_in_the_environment_hold_and_a_date_does_not(
    attempt: Checkout, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".gitconfig").write_text("")
    reported = settings([("user.name", "Grace"), ("user.email", "grace@x")], {})
    for name, value in reported.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GIT_AUTHOR_DATE", "@1 +0000")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "@1 +0000")
    assert await names(attempt) == "Grace <grace@x> Grace <grace@x>"
    assert int(attempt.git("log", "-1", "--format=%at")) > 1
    assert int(attempt.git("log", "-1", "--format=%ct")) > 1


async def test_the_identity_is_what_git_itself_says(
    attempt: Checkout, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "work").write_text("[user]\nemail = ada@work\n")
    (home / ".gitconfig").write_text(
        f'[user]\nname = Ada\n[includeIf "onbranch:work"]\npath = {home}/work\n'
        "[committer]\nname = Bot\n"
    )
    monkeypatch.setenv("EMAIL", "ada@home")
    who = await repository.identity(attempt.path)
    for role in ("AUTHOR", "COMMITTER"):
        output = attempt.git("var", f"GIT_{role}_IDENT")
        assert output.startswith(f"{who[f'GIT_{role}_NAME']} <{who[f'GIT_{role}_EMAIL']}> ")
    assert who["GIT_COMMITTER_NAME"] == "Bot"
    assert who["GIT_AUTHOR_EMAIL"] == "ada@work"


async def test_what_is_missing_of_an_identity_is_anyons(attempt: Checkout, home: Path) -> None:
    only = "[user]\nuseConfigOnly = true\n"
    (home / ".gitconfig").write_text(f"{only}email = ada@x\n")
    who = await repository.identity(attempt.path)
    assert (who["GIT_AUTHOR_NAME"], who["GIT_AUTHOR_EMAIL"]) == (repository.NAME, "ada@x")
    (home / ".gitconfig").write_text(f"{only}name = Ada\n")
    who = await repository.identity(attempt.path)
    assert (who["GIT_AUTHOR_NAME"], who["GIT_AUTHOR_EMAIL"]) == ("Ada", repository.EMAIL)
    (home / ".gitconfig").write_text(only)
    who = await repository.identity(attempt.path)
    assert (who["GIT_COMMITTER_NAME"], who["GIT_COMMITTER_EMAIL"]) == ("Anyon", repository.EMAIL)


async def test_hooks_filters_and_drivers_see_the_persons_locale(
    repo: Checkout, attempt: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de:fr")
    seen = repo.path / "seen"
    look = f"echo $LC_ALL $LANGUAGE >> '{seen}'"
    attempt.hook("pre-commit", look)
    repo.git("config", "filter.look.clean", f"{look}; cat")
    attempt.write(".gitattributes", "*.txt filter=look\n")
    attempt.write("new.txt")
    await commit_all(attempt.path, "message")
    lines = seen.read_text().splitlines()
    assert len(lines) > 1
    assert set(lines) == {"C.UTF-8 de:fr"}


async def test_gits_own_words_stay_those_that_are_read(
    repo: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    # Only a machine that has German could show it, so look at the switch, too.
    assert environment(os.environ)["GIT_TEXTDOMAINDIR"] == os.devnull
    (tmp_path / "no").mkdir()
    reported = await git("status", cwd=tmp_path / "no", check=False)
    assert "not a git repository" in reported.err


@pytest.mark.parametrize("how", ["GIT_ASKPASS", "core.askPass", "SSH_ASKPASS"])
async def test_a_push_asks_as_the_person_has_set_it_up(
    repos: Repositories,
    repo: Checkout,
    attempt: Checkout,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    ask = tmp_path / "ask"
    ask.write_text(f"#!/bin/sh\ncase $1 in User*) echo x-access-token;; *) echo {TOKEN};; esac\n")
    ask.chmod(0o755)
    with git_http(tmp_path / "hub", tokens={TOKEN: "ada"}) as server:
        server.repository("ada/tea")
        repo.git("remote", "add", "origin", f"{server.url}/ada/tea.git")
        remote = await remotes.of_target(attempt.path, "main")
        with pytest.raises(TokenMissing, match="credential helper"):
            await pushing.push(repos, attempt.path, remote, "work")
        if how == "core.askPass":
            repo.git("config", "core.askPass", str(ask))
        else:
            monkeypatch.setenv(how, str(ask))
        await pushing.push(repos, attempt.path, remote, "work")
        assert server.refs("ada/tea") == {"work": attempt.oid()}
        server.tokens.clear()
        attempt.commit({"more.txt": "more\n"})
        with pytest.raises(TokenInvalid, match="does not accept the login"):
            await pushing.push(repos, attempt.path, remote, "work")
        asked = tmp_path / "asked"
        ask.write_text(f"#!/bin/sh\ntouch '{asked}'\necho x\n")
        with pytest.raises(TokenInvalid, match="GitHub does not accept the token"):
            await pushing.push(repos, attempt.path, remote, "work", token="old")
        assert not asked.exists(), "who gave a token is not asked for a password"


async def test_the_settings_of_a_push_do_not_replace_the_persons(
    monkeypatch: pytest.MonkeyPatch, repo: Checkout
) -> None:
    mine = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "mine"}
    for name, value in mine.items():
        monkeypatch.setenv(name, value)
    env = settings([("c.d", "ours"), ("a.e", "too")], os.environ)
    reported = (await git("config", "--get-regexp", r"^(a|c)\.", cwd=repo.path, env=env)).text
    assert sorted(reported.splitlines()) == ["a.b mine", "a.e too", "c.d ours"]
    assert settings([("c.d", "x")], {"GIT_CONFIG_COUNT": "nonsense"})["GIT_CONFIG_COUNT"] == "1"


def test_ssh_asks_in_a_window_only_if_the_person_has_named_one() -> None:
    assert environment({"DISPLAY": ":0"})["SSH_ASKPASS_REQUIRE"] == "never"
    named = {"SSH_ASKPASS": "/ask", "SSH_ASKPASS_REQUIRE": "force", "GIT_SSH_COMMAND": "ssh -i k"}
    assert named.items() <= environment(named).items()


def test_what_would_change_gits_answers_is_left_out() -> None:
    harmful = ("GIT_TRACE", "GIT_REDIRECT_STDOUT", "GIT_DEFAULT_HASH", "GIT_FLUSH", "GIT_DIR")
    assert not set(harmful) & set(environment(dict.fromkeys(harmful, "1")))
