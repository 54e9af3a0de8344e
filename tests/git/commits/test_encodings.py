"""Commits in a repository whose own messages are not in UTF-8."""

from __future__ import annotations

import pytest

from anyond.git.commits import deletion
from anyond.git.commits.commit import commit_all
from anyond.git.merging.merge import Strategy, merge
from anyond.git.repo import branches
from anyond.git.repo.repository import Repositories
from anyond.git.snapshots import snapshot_refs, snapshots
from tests.support.checkout import Checkout

ID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(autouse=True)
def latin(repo: Checkout) -> None:
    repo.git("config", "i18n.commitEncoding", "ISO-8859-1")
    repo.git("config", "i18n.logOutputEncoding", "ISO-8859-1")
    # A name in the configuration is bytes; git takes them for what commits are labelled with.
    repo.git("config", "user.name", "Zoë")


def reported(checkout: Checkout, what: str, rev: str = "HEAD") -> str:
    return checkout.git("log", "-1", "--encoding=UTF-8", f"--format={what}", rev)


async def test_our_commits_say_what_they_were_told(attempt: Checkout) -> None:
    attempt.write("a.txt")
    assert await commit_all(attempt.path, "Grüße, 漢字")
    assert reported(attempt, "%s|%an") == "Grüße, 漢字|Zoë"
    assert await branches.subject(attempt.path, attempt.oid()) == "Grüße, 漢字"
    await deletion.delete_file(attempt.path, "a.txt", message="Lösche 漢字")
    assert reported(attempt, "%s|%cn") == "Lösche 漢字|Zoë"


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
async def test_a_merge_keeps_what_others_have_written(
    repo: Checkout, attempt: Checkout, repos: Repositories, strategy: Strategy
) -> None:
    attempt.write("a.txt")
    attempt.git("add", "-A")
    message = attempt.write("../message", "Größe\n".encode("iso-8859-1"))
    attempt.git("commit", "-q", "-F", message, "--author", b"J\xf6rg <j@x>".decode("latin-1"))
    assert reported(attempt, "%s") == "Größe"
    repo.commit({"m.txt": "m\n"}, "theirs")
    oid = (
        await merge(repos, repo.path, "work", "main", message="Füge 漢字", strategy=strategy)
    ).after
    assert reported(repo, "%s", oid) == ("Größe" if strategy == "rebase" else "Füge 漢字")
    if strategy == "merge":
        assert reported(repo, "%s", f"{oid}^2") == "Größe"


async def test_a_snapshot_tells_its_reason(repo: Checkout, attempt: Checkout) -> None:
    await snapshots.take(repo.path, attempt.path, ID, "Müll 漢字")
    (found,) = await snapshot_refs.list_snapshots(repo.path, ID)
    assert found.reason == "Müll 漢字"
