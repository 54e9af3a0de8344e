"""How files are merged is said by what is merged, not by what somebody has checked out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anyond.git.merging import merge_content
from anyond.git.merging.merge import Strategy, merge
from anyond.git.repo.repository import Repositories
from anyond.model.refusals.merging import MergeConflicts
from tests.support.checkout import Checkout

STRATEGIES: list[Strategy] = ["merge", "squash", "rebase"]


def both_have_appended(repo: Checkout, rules: str, where: str = ".gitattributes") -> None:
    """`main` and `work` have added a line at the same place of `deep/log.txt`."""
    repo.commit({where: rules, "deep/log.txt": "one\n"})
    attempt = repo.worktree("attempt", "work")
    attempt.commit({"deep/log.txt": "one\nmine\n"})
    repo.commit({"deep/log.txt": "one\ntheirs\n"})


@pytest.mark.parametrize("where", [".gitattributes", "deep/.gitattributes"])
@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_the_rules_of_the_target_hold_wherever_the_person_is(
    repo: Checkout, repos: Repositories, strategy: Strategy, where: str
) -> None:
    repo.git("branch", "elsewhere")
    both_have_appended(repo, "*.txt merge=union\n", where)
    repo.git("switch", "-q", "elsewhere")
    oid = (await merge(repos, repo.path, "work", "main", message="Join", strategy=strategy)).after
    assert repo.git("show", f"{oid}:deep/log.txt") == "one\ntheirs\nmine"


@pytest.mark.parametrize("committed", [True, False])
async def test_the_rules_of_the_persons_checkout_do_not_hold(
    repo: Checkout, repos: Repositories, committed: bool
) -> None:
    repo.git("branch", "elsewhere")
    both_have_appended(repo, "# none\n")
    repo.git("switch", "-q", "elsewhere")
    repo.write(".gitattributes", "*.txt merge=union\n")
    if committed:
        repo.git("add", ".gitattributes")
        repo.git("commit", "-qm", "rules")
    with pytest.raises(MergeConflicts):
        await merge(repos, repo.path, "work", "main", message="Join")


async def test_a_driver_runs_where_the_project_is(repo: Checkout, repos: Repositories) -> None:
    driver = repo.write("join.sh", '#!/bin/sh\ncat "$1" "$2" >joined && mv joined "$1"\n')
    driver.chmod(0o755)
    repo.git("config", "merge.join.driver", "./join.sh %A %B")
    both_have_appended(repo, "*.txt merge=join\n")
    oid = (await merge(repos, repo.path, "work", "main", message="Join")).after
    assert repo.git("show", f"{oid}:deep/log.txt") == "one\ntheirs\none\nmine"
    assert repo.read("deep/log.txt") == "one\ntheirs\none\nmine\n"


async def test_rules_in_a_bare_repository_hold(
    repo: Checkout, repos: Repositories, tmp_path: Path
) -> None:
    both_have_appended(repo, "*.txt merge=union\n")
    repo.git("clone", "-q", "--bare", repo.path, tmp_path / "bare.git")
    bare = Checkout(tmp_path / "bare.git")
    oid = (await merge(repos, bare.path, "work", "main", message="Join")).after
    assert bare.git("show", f"{oid}:deep/log.txt") == "one\ntheirs\nmine"
    assert "anyon-" not in " ".join(os.listdir(bare.path))


@pytest.mark.parametrize("rules", ["*.txt merge=union\n", "# none\n"])
async def test_what_a_merge_commit_has_changed_itself_is_told_by_its_own_rules(
    repo: Checkout, repos: Repositories, rules: str
) -> None:
    """Also where the person has other rules: with `union`, git made this one itself."""
    repo.git("branch", "elsewhere")
    both_have_appended(repo, rules)
    attempt = Checkout(repo.path.parent / "attempt")
    if rules.startswith("*"):
        attempt.git("merge", "-q", "-m", "Join", "main")
    else:
        attempt.git("merge", "-q", "-m", "Join", "main", code=1)
        attempt.write("deep/log.txt", "one\nmine\ntheirs\n")
        attempt.git("add", "-A")
        attempt.git("commit", "-qm", "Join")
    repo.git("switch", "-q", "elsewhere")
    other = "# none\n" if rules.startswith("*") else "*.txt merge=union\n"
    repo.write(".gitattributes", other)
    _, resolved = await merge_content.of_range(repo.path, "main", "work")
    assert resolved is not rules.startswith("*")
