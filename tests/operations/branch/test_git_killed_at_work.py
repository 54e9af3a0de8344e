"""What clients are told if git is killed in what they asked for: what has become true.

Git is killed at an exact step: in its place stands a script that does a part of its work, or all of
it, by the real git, and then kills itself, once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from anyond.git.commits import commit as committing
from anyond.git.disk import locks
from anyond.git.disk.scratch import scratch
from anyond.git.worktree import repair
from anyond.model.errors import AnyondError
from anyond.model.http.bodies import MergeStrategy, ProjectPatch, Rebasing
from anyond.model.ids import new_id, now, seconds
from anyond.model.rows import ExecutionProcess, TaskStatus
from anyond.operations import projects, subject
from anyond.operations.branch import branch_naming, merging, publish, rebasing, rewind
from anyond.operations.branch.intent_outcomes import settled
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import removal, worktree
from anyond.operations.workspace.file_deletion import delete_file
from anyond.store.board import attempts
from anyond.store.engine.transaction import Tx
from anyond.store.runs import intents, merges, processes
from anyond.store.upkeep import planned_worktrees
from tests.operations.branch.test_killed_git import commit, intend, run, status
from tests.operations.workspace.test_worktree import attempt, new_attempt
from tests.support.store.seeds import add_process, end_process

OLD, NEW = "refs/heads/anyon/x", "refs/heads/anyon/y"
REAL = shutil.which("git") or "git"

DeadlyGit = Callable[[str, str], Path]


@pytest.fixture
def deadly_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeadlyGit:
    """Let the next git that is asked `words` do `script` instead ("$@" is the whole), and die."""

    def put(words: str, script: str) -> Path:
        bin, armed = tmp_path / "bin", tmp_path / "armed"
        bin.mkdir()
        armed.touch()
        fake = bin / "git"
        fake.write_text(
            "#!/bin/sh\n"
            f"if [ -e '{armed}' ]; then case \" $* \" in *' {words} '*)\n"
            f"  rm '{armed}'; git() {{ '{REAL}' \"$@\"; }}\n"
            f"  {{ {script}\n  }} >/dev/null 2>&1\n"
            "  kill -9 $$;;\nesac; fi\n"
            f"exec '{REAL}' \"$@\"\n"
        )
        fake.chmod(0o755)
        monkeypatch.setenv("PATH", f"{bin}{os.pathsep}{os.environ['PATH']}")
        return armed

    return put


async def outcome(asked: Awaitable[object]) -> bool:
    """Whether it was said to have happened."""
    try:
        await asked
    except AnyondError:
        return False
    return True


async def no_intent(resources: Resources, about: Subject) -> bool:
    return await resources.store.read(lambda r: intents.get(r, about.attempt.id)) is None


# ---------------------------------------------------------------- worktree


@pytest.mark.parametrize("words", ["reset --quiet --mixed", "checkout-index --all"])
@pytest.mark.parametrize("done", [True, False])
async def test_a_worktree_whose_completion_was_killed_is_completed_by_the_next(
    resources: Resources,
    repository: Path,
    tmp_path: Path,
    deadly_git: DeadlyGit,
    words: str,
    done: bool,
) -> None:
    """An index without the files looked like a checkout in which somebody had deleted them all."""
    commit(repository, {"a.txt": "a\n", "d/b.txt": "b\n"})
    path = tmp_path / "half"
    run(repository, "worktree", "add", "-q", "--no-checkout", "-b", "work", str(path))
    armed = deadly_git(words, 'git "$@"' if done else "true")
    assert not await outcome(repair.ensure(resources.repositories, repository, path, "work"))
    assert not armed.exists()
    assert (
        await repair.ensure(resources.repositories, repository, path, "work")
    ).what == "repaired"
    assert status(path) == []
    assert (path / "d" / "b.txt").read_text() == "b\n"


async def test_an_emptied_worktree_whose_refilling_was_killed_is_refilled_by_the_next(
    resources: Resources, repository: Path, tmp_path: Path, deadly_git: DeadlyGit
) -> None:
    commit(repository, {"a.txt": "a\n", "d/b.txt": "b\n"})
    path = tmp_path / "emptied"
    run(repository, "worktree", "add", "-q", "-b", "work", str(path))
    (path / "a.txt").write_text("staged\n")
    run(path, "add", "a.txt")
    shutil.rmtree(path)
    path.mkdir()
    armed = deadly_git("checkout-index --all", "true")
    assert not await outcome(repair.ensure(resources.repositories, repository, path, "work"))
    assert not armed.exists()
    assert (
        await repair.ensure(resources.repositories, repository, path, "work")
    ).what == "repaired"
    assert (path / "a.txt").read_text() == "staged\n"
    assert (path / "d" / "b.txt").read_text() == "b\n"
    (path / "a.txt").unlink()
    assert (await repair.ensure(resources.repositories, repository, path, "work")).what == "present"
    assert not (path / "a.txt").exists()  # what somebody deletes later stays deleted


async def rename_attempt(resources: Resources, about: Subject) -> None:
    await branch_naming.rename_branch(resources, about, "renamed/y")


async def rename_project(resources: Resources, about: Subject) -> None:
    await projects.update(resources, about.project.id, ProjectPatch(name="Another"))


async def move_worktrees(resources: Resources, about: Subject) -> None:
    place = resources.paths.data_dir / "elsewhere"
    place.mkdir()
    resources.config.patch({"workspace_dir": str(place)})


CHANGES = [rename_attempt, rename_project, move_worktrees]
Change = Callable[[Resources, Subject], Awaitable[None]]


def fsck(repository: Path) -> str:
    command = ["git", "fsck", "--no-progress"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


async def half_made(resources: Resources, repository: Path) -> tuple[Subject, Path]:
    """An attempt whose daemon was killed while git made its worktree, and where that is."""
    commit(repository, {"a.txt": "a\n"})
    about = await new_attempt(resources, repository)
    path = worktree.planned_path(resources, about.project, about.attempt)
    await resources.store.write(lambda tx: planned_worktrees.put(tx, about.attempt.id, str(path)))
    run(repository, "worktree", "add", "-q", "--no-checkout", "-b", about.attempt.branch, path)
    return about, path


@pytest.mark.parametrize("change", CHANGES)
async def test_a_worktree_whose_making_was_killed_is_gone_on_with_where_it_was_begun(
    resources: Resources, repository: Path, change: Change
) -> None:
    """Else its branch would be checked out twice, which git refuses for ever."""
    about, begun = await half_made(resources, repository)
    await change(resources, about)
    about = await worktree.prepare(resources, await subject.read(resources, about.attempt.id))
    assert about.worktree == begun
    assert status(begun) == []
    assert (begun / "a.txt").read_text() == "a\n"
    listed = run(repository, "worktree", "list", "--porcelain").splitlines()
    assert sum(line.startswith("worktree ") for line in listed) == 2


@pytest.mark.parametrize("change", CHANGES)
async def test_a_worktree_whose_making_was_killed_is_removed_where_it_was_begun(
    resources: Resources, repository: Path, change: Change
) -> None:
    about, begun = await half_made(resources, repository)
    await change(resources, about)
    await removal.delete_attempt(resources, about.attempt.id)
    await removal.clean_up(resources)
    assert not begun.exists()


async def test_a_worktree_that_is_half_made_is_completed_although_nobody_works_there(
    resources: Resources, repository: Path
) -> None:
    about, begun = await half_made(resources, repository)
    # What `git worktree add` has there for a moment; after a power loss it stays.
    head = Path(run(begun, "rev-parse", "--absolute-git-dir")) / "HEAD"
    head.write_text("0" * 40 + "\n")
    head.with_name("locked").write_text("initializing")
    assert "points at nothing" in fsck(repository)
    await worktree.complete(resources, about)
    assert (await subject.read(resources, about.attempt.id)).worktree == begun
    assert status(begun) == []
    assert head.read_text() == f"ref: refs/heads/{about.attempt.branch}\n"
    assert not head.with_name("locked").exists()
    assert fsck(repository) == ""


async def test_a_worktree_that_was_only_planned_is_not_made_at_a_start(
    resources: Resources, repository: Path
) -> None:
    about = await new_attempt(resources, repository)
    await worktree.complete(resources, about)
    assert not worktree.planned_path(resources, about.project, about.attempt).exists()


async def test_a_worktree_is_planned_before_git_is_asked(
    resources: Resources, repository: Path, deadly_git: DeadlyGit
) -> None:
    about = await new_attempt(resources, repository)
    deadly_git("worktree add", "true")
    assert not await outcome(worktree.prepare(resources, about))
    path = worktree.planned_path(resources, about.project, about.attempt)
    assert await resources.store.read(planned_worktrees.paths) == [str(path)]
    about = await worktree.prepare(resources, await subject.read(resources, about.attempt.id))
    assert about.worktree == path
    assert await resources.store.read(planned_worktrees.paths) == []


async def test_what_a_killed_git_has_locked_in_a_worktree_is_swept(
    resources: Resources, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "ABANDONED_S", 0.0)
    about = await attempt(resources, repository)
    own = Path(run(about.worktree, "rev-parse", "--absolute-git-dir").strip())
    left = [own / "ORIG_HEAD.lock", own / "index.lock"]
    persons = repository / ".git" / "index.lock"
    for lock in (*left, persons):
        lock.touch()
        os.utime(lock, (0, 0))
    await removal.sweep_locks(resources)
    assert [lock for lock in (*left, persons) if lock.exists()] == [persons]


async def test_what_was_put_aside_in_a_worktree_that_is_half_made_is_swept(
    resources: Resources, repository: Path
) -> None:
    _, path = await half_made(resources, repository)
    own = Path(run(path, "rev-parse", "--absolute-git-dir"))
    with scratch(own) as private:
        left = private.with_name("tmpkilled")
        left.mkdir()
    await removal.sweep(resources, seconds(now()) + 60)
    assert not left.exists()


# ---------------------------------------------------------------- rename

STEPS = {
    "nothing": "true",
    "the old name is gone": f"git update-ref -d {OLD}",
    "the new name is there": f'git update-ref {NEW} "$(git rev-parse {OLD})"; '
    f"git update-ref -d {OLD}",
    "all": 'git "$@"',
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_rename_in_which_git_was_killed_is_answered_as_it_came_out(
    resources: Resources, repository: Path, deadly_git: DeadlyGit, step: str
) -> None:
    about = await attempt(resources, repository)
    tip = commit(about.worktree, {"mine.txt": "mine\n"})
    armed = deadly_git("branch -m", STEPS[step])
    happened = await outcome(branch_naming.rename_branch(resources, about, "anyon/y"))
    assert not armed.exists()
    name = "anyon/y" if step != "nothing" else "anyon/x"
    assert happened is (step != "nothing")
    assert (await subject.read(resources, about.attempt.id)).attempt.branch == name
    assert run(about.worktree, "symbolic-ref", "--short", "HEAD") == name
    listed = run(repository, "for-each-ref", "--format=%(refname:short)", "refs/heads")
    assert listed.split() == [name, "main"]
    assert run(repository, "rev-parse", name) == tip
    assert status(about.worktree) == []
    assert await no_intent(resources, about)


@pytest.mark.parametrize("step", STEPS)
async def test_a_rename_in_which_the_daemon_was_killed_too_is_whole_or_never_was(
    resources: Resources, repository: Path, step: str
) -> None:
    about = await attempt(resources, repository)
    tip = commit(about.worktree, {"mine.txt": "mine\n"})
    await intend(resources, about, "rename", name="anyon/y", tip=tip)
    script = STEPS[step].replace('git "$@"', "git branch -m anyon/x anyon/y")
    os.spawnlp(os.P_WAIT, "sh", "sh", "-c", f"cd '{repository}'; {script}")
    name = "anyon/y" if step != "nothing" else "anyon/x"
    assert (await settled(resources, about.attempt.id)).attempt.branch == name
    assert run(about.worktree, "symbolic-ref", "--short", "HEAD") == name
    assert run(repository, "rev-parse", name) == tip
    assert status(about.worktree) == []
    assert await no_intent(resources, about)


# ---------------------------------------------------------------- merge


@pytest.mark.parametrize("checked_out", [True, False])
@pytest.mark.parametrize("done", [True, False])
async def test_a_merge_in_which_git_was_killed_is_answered_as_it_came_out(
    resources: Resources, repository: Path, deadly_git: DeadlyGit, checked_out: bool, done: bool
) -> None:
    run(repository, "branch", "develop")
    about = await attempt(resources, repository)
    if not checked_out:
        await branch_naming.change_target(resources, about, "develop")
        about = await subject.read(resources, about.attempt.id)
    target = "main" if checked_out else "develop"
    before = run(repository, "rev-parse", target)
    tip = commit(about.worktree, {"mine.txt": "mine\n"})
    words = "merge --ff-only" if checked_out else "update-ref -m"
    armed = deadly_git(words, 'git "$@"' if done else "true")
    happened = await outcome(merging.merge_attempt(resources, about, MergeStrategy.MERGE))
    assert not armed.exists()
    assert happened is done
    now_there = run(repository, "rev-parse", target)
    found = await resources.store.read(lambda r: merges.of_attempt(r, about.attempt.id))
    after = (await subject.read(resources, about.attempt.id)).task.status
    if happened:
        assert run(repository, "merge-base", tip, target) == tip
        assert [merge.merge_commit for merge in found] == [now_there]  # type: ignore[union-attr]
        assert after is TaskStatus.DONE
    else:
        assert now_there == before
        assert found == []
        assert after is not TaskStatus.DONE
    assert status(repository) == []
    assert await no_intent(resources, about)


async def test_a_merge_that_is_half_in_the_checkout_is_answered_as_it_came_out(
    resources: Resources, repository: Path, deadly_git: DeadlyGit
) -> None:
    before = commit(repository, {"a.txt": "old\n", "b.txt": "old\n"})
    about = await attempt(resources, repository)
    commit(about.worktree, {"a.txt": "new\n", "b.txt": "new\n"})
    # Files are written before anything else.
    half = "echo new > a.txt; touch .git/index.lock"
    armed = deadly_git("merge --ff-only", half)
    happened = await outcome(merging.merge_attempt(resources, about, MergeStrategy.SQUASH))
    assert not armed.exists()
    there = "new\n" if happened else "old\n"
    assert [(repository / name).read_text() for name in ("a.txt", "b.txt")] == [there, there]
    assert (run(repository, "rev-parse", "main") != before) is happened
    assert status(repository) == []
    found = await resources.store.read(lambda r: merges.of_attempt(r, about.attempt.id))
    assert len(found) == happened
    assert await no_intent(resources, about)


# ---------------------------------------------------------------- rebase


@pytest.mark.parametrize("step", ["nothing", "all", "all but the end of its state"])
async def test_a_rebase_in_which_git_was_killed_is_answered_as_it_came_out(
    resources: Resources, repository: Path, deadly_git: DeadlyGit, step: str
) -> None:
    about = await attempt(resources, repository)
    tip = commit(about.worktree, {"mine.txt": "mine\n"})
    onto = commit(repository, {"base.txt": "base\n"})
    run(repository, "branch", "develop")
    script = {"nothing": "true", "all": 'git "$@"'}.get(
        step, 'git "$@"; d=$(git rev-parse --git-path rebase-merge); mkdir "$d"; touch "$d/onto"'
    )
    armed = deadly_git("rebase --merge", script)
    wish = Rebasing(new_base_branch="develop")
    happened = await outcome(rebasing.rebase_attempt(resources, about, wish))
    assert not armed.exists()
    assert happened is (step != "nothing")
    there = await subject.read(resources, about.attempt.id)
    base = await resources.store.read(lambda r: attempts.base_commit(r, about.attempt.id))
    if happened:
        assert run(about.worktree, "merge-base", "HEAD", "develop") == onto
        assert (there.attempt.target_branch, base) == ("develop", onto)
    else:
        assert run(about.worktree, "rev-parse", "HEAD") == tip
        assert there.attempt.target_branch == "main"
    assert run(about.worktree, "symbolic-ref", "HEAD") == OLD
    assert not (git_file(about.worktree, "rebase-merge")).exists()
    assert status(about.worktree) == []
    assert await no_intent(resources, about)


def git_file(worktree: Path, name: str) -> Path:
    return Path(run(worktree, "rev-parse", "--path-format=absolute", "--git-path", name))


@pytest.mark.parametrize("step", ["all", "half of its state is gone"])
async def test_an_abort_in_which_git_was_killed_leaves_nothing_in_progress(
    resources: Resources, repository: Path, deadly_git: DeadlyGit, step: str
) -> None:
    about = await attempt(resources, repository)
    tip = commit(about.worktree, {"same.txt": "mine\n"})
    commit(repository, {"same.txt": "theirs\n"})
    assert not await outcome(rebasing.rebase_attempt(resources, about, Rebasing()))
    state = git_file(about.worktree, "rebase-merge")
    script = 'git "$@"'
    if step != "all":
        script += f"; mkdir {state}; touch {state}/interactive"
    armed = deadly_git("rebase --abort", script)
    assert await outcome(rebasing.abort_conflicts(resources, about))
    assert not armed.exists()
    assert not state.exists()
    assert run(about.worktree, "symbolic-ref", "HEAD") == OLD
    assert run(about.worktree, "rev-parse", "HEAD") == tip
    assert status(about.worktree) == []


async def test_the_state_of_a_rebase_that_is_half_gone_can_be_aborted(
    resources: Resources, repository: Path
) -> None:
    about = await attempt(resources, repository)
    state = git_file(about.worktree, "rebase-merge")
    state.mkdir()
    (state / "interactive").touch()
    await rebasing.abort_conflicts(resources, about)
    assert not state.exists()
    assert run(about.worktree, "symbolic-ref", "HEAD") == OLD


# ---------------------------------------------------------------- what is in the worktree


@pytest.mark.parametrize("step", ["nothing", "the commit", "all"])
@pytest.mark.parametrize("known", ["committed", "staged", "untracked"])
async def test_a_deletion_in_which_git_was_killed_is_answered_as_it_came_out(
    resources: Resources, repository: Path, deadly_git: DeadlyGit, step: str, known: str
) -> None:
    about = await attempt(resources, repository)
    path, name = about.worktree, "file [1].txt"
    (path / name).write_text("precious\n")
    if known != "untracked":
        run(path, "add", "-A")
    if known == "committed":
        run(path, "commit", "-qm", "change")
    words = "commit --quiet" if known == "committed" else "update-index --force-remove"
    script = {"nothing": "true", "all": 'git "$@"'}.get(
        step,
        'cp "$(git rev-parse --git-path index)" i; git "$@"; '
        'mv i "$(git rev-parse --git-path index)"',
    )
    if known != "committed" and step == "the commit":
        script = 'git "$@"'
    armed = deadly_git(words, script)
    happened = await outcome(delete_file(resources, about, name))
    assert not armed.exists()
    # Nothing has to be done in git for a file that it does not know.
    assert happened is (step != "nothing" or known == "untracked")
    assert (path / name).exists() is not happened
    assert status(path) == ([f'A  "{name}"'] if known == "staged" and not happened else [])
    listed = run(path, "ls-tree", "--name-only", "HEAD").splitlines()
    assert (f'"{name}"' in listed or name in listed) is (known == "committed" and not happened)
    assert await no_intent(resources, about)


async def test_a_deletion_in_which_the_daemon_was_killed_too_leaves_no_entry_in_the_index(
    resources: Resources, repository: Path
) -> None:
    about = await attempt(resources, repository)
    path, tip = about.worktree, commit(about.worktree, {"a.txt": "precious\n"})
    await intend(resources, about, "delete_file", name="a.txt", tip=tip, snapshot=OLD)
    (path / "a.txt").unlink()
    index = git_file(path, "index")
    kept = index.read_bytes()
    run(path, "commit", "-qam", "Delete")
    index.write_bytes(kept)
    await settled(resources, about.attempt.id)
    assert status(path) == []


@pytest.mark.parametrize("done", [True, False])
async def test_a_commit_in_which_git_was_killed_is_answered_as_it_came_out(
    resources: Resources, repository: Path, deadly_git: DeadlyGit, done: bool
) -> None:
    about = await attempt(resources, repository)
    before = run(about.worktree, "rev-parse", "HEAD")
    (about.worktree / "new.txt").write_text("new\n")
    armed = deadly_git("commit --quiet", 'git "$@"' if done else "true")
    happened = await outcome(committing.commit_all(about.worktree, "All", "anyon/x"))
    assert not armed.exists()
    assert happened is done
    assert (run(about.worktree, "rev-parse", "HEAD") != before) is done
    assert status(about.worktree) == ([] if done else ["?? new.txt"])


@pytest.mark.parametrize("done", [True, False])
async def test_a_retry_in_which_git_was_killed_is_undone_before_it_is_refused(
    resources: Resources, repository: Path, deadly_git: DeadlyGit, done: bool
) -> None:
    about = await attempt(resources, repository)
    goal = run(about.worktree, "rev-parse", "HEAD")
    row = await resources.store.write(lambda tx: begun_at(tx, about, goal))
    tip = commit(about.worktree, {"new.txt": "new\n"})
    (about.worktree / "new.txt").write_text("edited\n")
    armed = deadly_git("reset --hard", 'git "$@"' if done else "rm new.txt")
    with pytest.raises(AnyondError):
        await rewind.go_back(resources, about, row, perform=True, force=True)
    assert not armed.exists()
    assert run(about.worktree, "rev-parse", "HEAD") == tip
    assert (about.worktree / "new.txt").read_text() == "edited\n"
    assert await no_intent(resources, about)
    went = await rewind.go_back(resources, about, row, perform=True, force=True)
    assert went.applied
    assert run(about.worktree, "rev-parse", "HEAD") == goal


def begun_at(tx: Tx, about: Subject, goal: str) -> ExecutionProcess:
    """A run of the agent that has found the worktree at `goal`, and is over."""
    row = add_process(tx, new_id(), about.attempt.id)
    row = processes.set_before_commit(tx, row.id, goal, now())
    end_process(tx, row.id)
    return row


# ---------------------------------------------------------------- push


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_push_in_which_git_was_killed_is_answered_as_it_came_out(
    resources: Resources, repository: Path, tmp_path: Path, deadly_git: DeadlyGit, arrived: bool
) -> None:
    remote = tmp_path / "remote.git"
    run(tmp_path, "clone", "-q", "--bare", str(repository), str(remote))
    run(repository, "remote", "add", "origin", str(remote))
    about = await attempt(resources, repository)
    tip = commit(about.worktree, {"mine.txt": "mine\n"})
    armed = deadly_git("push --porcelain", 'git "$@"' if arrived else "true")
    happened = await outcome(publish.push_attempt(resources, about, force=False))
    assert not armed.exists()
    assert happened == arrived
    assert (run(remote, "for-each-ref", "--format=%(objectname)", OLD) == tip) == arrived
    # And the next one, which replaces it, knows what is there.
    run(
        about.worktree,
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@b",
        "commit",
        "-q",
        "--amend",
        "-mx",
    )
    await publish.push_attempt(resources, about, force=True)
    tip = run(about.worktree, "rev-parse", "HEAD")
    assert run(remote, "for-each-ref", "--format=%(objectname)", OLD) == tip
