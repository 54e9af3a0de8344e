from __future__ import annotations

import os
from pathlib import Path

import pytest
import trio

from anyond.git.program import command, process
from anyond.git.program.command import GitFailed, git, scrub
from anyond.model.errors import TimedOut
from anyond.model.refusals.programs import ProgramMissing
from anyond.model.refusals.requests import NotFound
from tests.support.checkout import Checkout, until


async def test_the_daemons_own_git_variables_do_not_reach_git(
    repo: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    assert (await git("rev-parse", "--abbrev-ref", "HEAD", cwd=repo.path)).text == "main"


async def test_a_failure_names_the_command_and_what_git_said(repo: Checkout) -> None:
    with pytest.raises(GitFailed, match=r"rev-parse failed: .*nonsense") as caught:
        await git("-c", "a.b=c", "rev-parse", "nonsense^{commit}", "--", cwd=repo.path)
    assert caught.value.code == 128
    assert caught.value.command[2] == "rev-parse"


def test_a_failure_with_a_line_for_each_file_is_told_in_short() -> None:
    output = "".join(f"error: unable to write file {n}.txt\n" for n in range(100_000))
    failed = GitFailed(("checkout",), 1, f"{output}fatal: nothing more\n")
    first, *_, last = str(failed).splitlines()
    assert first == "git checkout failed: error: unable to write file 0.txt"
    assert last == "fatal: nothing more"
    assert "characters left out" in str(failed)
    assert len(str(failed)) < 5000
    assert failed.stderr.count("\n") == 100_001, "who has to understand it can read it all"


async def test_a_failure_does_not_tell_passwords(repo: Checkout) -> None:
    with pytest.raises(GitFailed) as caught:
        await git("fetch", "file://user:hunter2@/nowhere", cwd=repo.path)
    assert "hunter2" not in str(caught.value) + str(caught.value.command) + caught.value.stderr


def test_a_header_with_a_token_is_scrubbed() -> None:
    assert scrub("http.x.extraHeader=Authorization: basic c2VjcmV0") == "http.x.extraHeader=***"


async def test_a_missing_directory_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="gone"):
        await git("status", cwd=tmp_path / "gone")


async def test_a_missing_git_is_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramMissing):
        await git("version", cwd=tmp_path)


async def test_an_old_git_is_refused_by_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\necho git version 2.37.9\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramMissing, match=r"2\.37\.9"):
        await git("status", cwd=tmp_path)


async def test_the_version_is_known(repo: Checkout) -> None:
    assert await command.version() >= command.MINIMUM


async def test_much_output_and_much_input_do_not_block_each_other(repo: Checkout) -> None:
    oid = repo.oid("HEAD:base.txt")
    asked = f"{oid}\n".encode() * 20_000
    answer = await git("cat-file", "--batch-check", cwd=repo.path, input=asked)
    assert answer.out.count(b"\n") == 20_000


async def test_cancelling_ends_git_and_what_it_has_started(repo: Checkout) -> None:
    reported = repo.path / "pid"
    slow = f"!echo $$ > '{reported}.new'; mv '{reported}.new' '{reported}'; sleep 1000"

    async with trio.open_nursery() as nursery:

        async def run() -> None:
            await git("-c", f"alias.slow={slow}", "slow", cwd=repo.path)

        nursery.start_soon(run)
        await until(reported.exists)
        nursery.cancel_scope.cancel()
    pid = int(reported.read_text())
    await until(lambda: not _is_running(pid))


async def test_a_command_that_takes_too_long_is_stopped(repo: Checkout) -> None:
    with pytest.raises(TimedOut, match="slow"):
        await git("-c", "alias.slow=!sleep 1000", "slow", cwd=repo.path, timeout=0.2)


async def test_a_hook_that_leaves_something_running_does_not_hold_git_up(
    repo: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "KILL_AFTER_S", 0.2)
    left = repo.path / "left"
    repo.hook("post-commit", f"sleep 1000 & echo $! > '{left}'")
    with trio.fail_after(20):
        await git("commit", "--allow-empty", "-q", "-m", "x", cwd=repo.path)
    pid = int(left.read_text())
    assert _is_running(pid)
    os.kill(pid, 9)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    # A zombie that its new parent has not reaped yet has ended all the same.
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
