"""Follow-ups and retries: which run is asked in which session, and what becomes of the draft."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from anyond.git.program.command import git
from anyond.model.drafts import DraftPatch, DraftType
from anyond.model.http.bodies import FollowUp
from anyond.model.ids import now
from anyond.model.refusals.requests import Impossible, Invalid, NotFound
from anyond.model.refusals.runs import Busy, Dropped, NoAgent
from anyond.model.refusals.worktrees import Dirty
from anyond.model.rows import (
    CodingAgentFollowUpRequest,
    CodingAgentInitialRequest,
    ProcessStatus,
    RunReason,
)
from anyond.operations.resources import Resources
from anyond.operations.run import follow_up
from anyond.operations.subject import Subject
from anyond.store.board import drafts
from anyond.store.runs import processes
from tests.support.rows import (
    add_attempt,
    add_project,
    add_run,
    asks,
    end_run,
    prompts,
    runs_script,
)


@pytest.fixture
async def subject(resources: Resources, repository: Path) -> Subject:
    return await add_attempt(resources, await add_project(resources, repository))


async def test_the_agent_is_asked_again_in_its_session(
    resources: Resources, subject: Subject
) -> None:
    await end_run(resources, await add_run(resources, subject, asks(), session="s1"))
    row = await follow_up.follow_up(resources, subject, FollowUp(prompt="More"))
    request = row.executor_action.typ
    assert isinstance(request, CodingAgentFollowUpRequest)
    assert (request.prompt, request.session_id) == ("More", "s1")


async def test_an_agent_that_never_told_a_session_begins_one(
    resources: Resources, subject: Subject
) -> None:
    await end_run(resources, await add_run(resources, subject, asks()), ProcessStatus.FAILED)
    row = await follow_up.follow_up(resources, subject, FollowUp(prompt="More"))
    assert isinstance(row.executor_action.typ, CodingAgentInitialRequest)


async def test_a_setup_script_that_failed_says_which_agent_was_to_follow(
    resources: Resources, subject: Subject
) -> None:
    script = await add_run(resources, subject, runs_script("false", then=asks("Tea")))
    await end_run(resources, script, ProcessStatus.FAILED)
    row = await follow_up.follow_up(resources, subject, FollowUp(prompt="Go on"))
    assert row.run_reason is RunReason.CODING_AGENT


async def test_nothing_can_be_said_before_an_agent_was_to_run(
    resources: Resources, subject: Subject
) -> None:
    with pytest.raises(NoAgent):
        await follow_up.follow_up(resources, subject, FollowUp(prompt="More"))


async def test_nobody_is_asked_while_something_runs(resources: Resources, subject: Subject) -> None:
    await add_run(resources, subject, asks())
    with pytest.raises(Busy):
        await follow_up.follow_up(resources, subject, FollowUp(prompt="More"))


@pytest.mark.parametrize("prompt", ["", " \n\t"])
async def test_an_empty_prompt_is_refused(
    resources: Resources, subject: Subject, prompt: str
) -> None:
    await end_run(resources, await add_run(resources, subject, asks()))
    with pytest.raises(Invalid, match="prompt"):
        await follow_up.follow_up(resources, subject, FollowUp(prompt=prompt))


async def test_an_image_or_variant_that_is_none_is_refused(
    resources: Resources, subject: Subject
) -> None:
    await end_run(resources, await add_run(resources, subject, asks()))
    with pytest.raises(NotFound):
        await follow_up.follow_up(resources, subject, FollowUp(prompt="More", image_ids=["none"]))
    with pytest.raises(Impossible, match="NONE"):
        await follow_up.follow_up(resources, subject, FollowUp(prompt="More", variant="NONE"))
    assert await resources.store.read(processes.running) == []


async def test_what_is_sent_is_no_draft_any_more(resources: Resources, subject: Subject) -> None:
    await end_run(resources, await add_run(resources, subject, asks()))
    patch = DraftPatch(prompt="More")
    attempt_id = subject.attempt.id
    await resources.store.write(
        lambda tx: drafts.save(tx, attempt_id, DraftType.FOLLOW_UP, patch, now())
    )
    await follow_up.follow_up(resources, subject, FollowUp(prompt="More"))
    draft = await resources.store.read(lambda r: drafts.get(r, attempt_id, DraftType.FOLLOW_UP))
    assert (draft.prompt, draft.queued) == ("", False)


async def test_the_setup_script_runs_first_in_a_worktree_that_was_gone(
    resources: Resources, repository: Path
) -> None:
    project = await add_project(resources, repository, setup_script="make ready")
    subject = await add_attempt(resources, project)
    await end_run(resources, await add_run(resources, subject, asks(), session="s"))
    shutil.rmtree(subject.worktree)
    row = await follow_up.follow_up(resources, subject, FollowUp(prompt="More"))
    assert prompts(row.executor_action) == ["make ready", "More"]


async def commit(subject: Subject, name: str) -> str:
    (subject.worktree / name).write_text(name)
    await git("add", "-A", cwd=subject.worktree)
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost")
    await git(*identity, "commit", "-q", "-m", name, cwd=subject.worktree)
    return await head(subject)


async def head(subject: Subject) -> str:
    return (await git("rev-parse", "HEAD", cwd=subject.worktree)).out.decode().strip()


async def test_a_retry_goes_back_to_where_the_run_began_and_drops_what_followed(
    resources: Resources, subject: Subject
) -> None:
    before = await head(subject)
    first = await add_run(resources, subject, asks("One"), session="s1")
    await resources.store.write(lambda tx: processes.set_before_commit(tx, first.id, before, now()))
    await end_run(resources, first)
    await commit(subject, "one")
    later = await end_run(resources, await add_run(resources, subject, asks("Two", "s1")))
    row = await follow_up.follow_up(
        resources, subject, FollowUp(prompt="One, better", retry_process_id=first.id)
    )
    assert await head(subject) == before
    assert not (subject.worktree / "one").exists()
    for old in (first.id, later.id):
        assert (await resources.store.read(lambda r, id=old: processes.get(r, id))).dropped  # type: ignore[misc]
    assert isinstance(row.executor_action.typ, CodingAgentInitialRequest)
    with pytest.raises(Dropped):
        await follow_up.follow_up(
            resources, subject, FollowUp(prompt="Again", retry_process_id=first.id)
        )


async def test_a_retry_that_would_lose_changes_is_refused_and_changes_nothing(
    resources: Resources, subject: Subject
) -> None:
    before = await head(subject)
    first = await add_run(resources, subject, asks("One"))
    await resources.store.write(lambda tx: processes.set_before_commit(tx, first.id, before, now()))
    await end_run(resources, first)
    tip = await commit(subject, "one")
    (subject.worktree / "one").write_text("not committed")
    with pytest.raises(Dirty):
        await follow_up.follow_up(
            resources, subject, FollowUp(prompt="Better", retry_process_id=first.id)
        )
    assert await head(subject) == tip
    assert (subject.worktree / "one").read_text() == "not committed"
    assert not (await resources.store.read(lambda r: processes.get(r, first.id))).dropped


async def test_only_runs_of_the_agent_of_this_attempt_are_tried_again(
    resources: Resources, subject: Subject
) -> None:
    script = await end_run(resources, await add_run(resources, subject, runs_script("true")))
    other = await add_attempt(resources, subject.project, branch="anyon/y", made=False)
    foreign = await end_run(resources, await add_run(resources, other, asks()))
    await end_run(resources, await add_run(resources, subject, asks()))
    for id in (script.id, foreign.id):
        with pytest.raises(Impossible, match="retry_process_id"):
            await follow_up.follow_up(
                resources, subject, FollowUp(prompt="Again", retry_process_id=id)
            )
    with pytest.raises(NotFound):
        await follow_up.follow_up(
            resources, subject, FollowUp(prompt="Again", retry_process_id="none")
        )
