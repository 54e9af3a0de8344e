"""What is found outside of any process is said in the next log of the attempt, and once."""

from __future__ import annotations

from tests.support.daemon import Daemon
from tests.support.worked_attempt import worked_attempt


async def test_what_was_not_copied_is_in_the_log_of_the_first_agent(daemon: Daemon) -> None:
    at = await worked_attempt(daemon, copy_files="missing.env")
    (first,) = await daemon.processes(at.attempt)
    output = [entry["content"] for entry in await daemon.entries(first)]
    assert [text for text in output if "missing.env" in text] == [
        "copy_files: nothing matches 'missing.env'."
    ]
    await at.press("follow-up", {"prompt": "write more.txt m"})
    second = await daemon.over(at.attempt)
    assert not [e for e in await daemon.entries(second) if "missing.env" in e["content"]]


async def test_a_worktree_that_was_replaced_is_mended_before_the_next_turn_which_tells(
    daemon: Daemon,
) -> None:
    at = await worked_attempt(daemon)
    (at.worktree / ".git").unlink()
    at.git("init", "-q", "-b", "main")
    await at.press("follow-up", {"prompt": "write more.txt m"})
    process = await daemon.over(at.attempt)
    output = [entry["content"] for entry in await daemon.entries(process)]
    assert [text for text in output if "a repository of its own" in text]
    tree = daemon.git(at.repository, "ls-tree", "--name-only", at.attempt["branch"]).split()
    assert {"own.txt", "more.txt"} <= set(tree)


async def test_a_worktree_that_is_gone_shows_the_diff_of_its_branch(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    at.worktree.rename(at.worktree.with_name("away"))
    status = await at.look("branch-status")
    assert "untracked_count" in status["unknown"]
    assert status["commits_ahead"] == 1


async def test_what_another_checkout_has_committed_is_followed_and_told_of(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    branch = at.attempt["branch"]
    second = daemon.root / "second"
    daemon.git(at.repository, "worktree", "add", "-q", "--force", str(second), branch)
    (second / "theirs.txt").write_text("theirs\n")
    daemon.git(second, "add", "-A")
    daemon.git(second, "commit", "-qm", "From elsewhere")
    await at.press("follow-up", {"prompt": "write more.txt m"})
    process = await daemon.over(at.attempt)
    names = daemon.git(at.repository, "ls-tree", "--name-only", branch).split()
    assert {"theirs.txt", "more.txt", "own.txt"} <= set(names)
    output = [entry["content"] for entry in await daemon.entries(process)]
    assert [text for text in output if "was moved from" in text]


async def test_a_stash_that_goes_while_something_runs_is_kept_and_told_of(daemon: Daemon) -> None:
    at = await worked_attempt(daemon, cleanup_script="git stash pop -q; true")
    (at.repository / "README.md").write_text("half of an idea\n")
    daemon.git(at.repository, "stash", "push", "-q", "-m", "half of an idea")
    entry = daemon.git(at.repository, "rev-parse", "refs/stash").strip()
    await at.press("follow-up", {"prompt": "write more.txt m"})
    process = await daemon.over(at.attempt)
    assert daemon.git(at.repository, "stash", "list") == ""
    saved = f"refs/anyon/kept/{at.attempt['id']}/popped-{entry}"
    assert daemon.git(at.repository, "rev-parse", saved).strip() == entry
    all_of_them = await daemon.processes(at.attempt)
    output = [str(entry) for one in all_of_them for entry in await daemon.entries(one)]
    assert [text for text in output if "half of an idea" in text], process


async def test_changed_files_that_git_is_told_not_to_look_at_are_told_of(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    at.git("update-index", "--skip-worktree", "own.txt")
    (at.worktree / "own.txt").write_text("changed\n")
    await at.press("follow-up", {"prompt": "write more.txt m"})
    process = await daemon.over(at.attempt)
    output = [entry["content"] for entry in await daemon.entries(process)]
    (text,) = [text for text in output if "own.txt" in text and "skip-worktree" in text]
    assert "git update-index --no-skip-worktree own.txt" in text
