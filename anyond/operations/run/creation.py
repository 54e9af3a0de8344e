"""Creating an attempt: checked completely, then written down with its first process."""

from __future__ import annotations

from anyond.agents.roster import check as check_options
from anyond.git.repo import branches
from anyond.model.configuration.settings import ExecutorProfileId
from anyond.model.http.bodies import NewTask
from anyond.model.ids import new_id, now
from anyond.model.refusals.worktrees import NameTaken
from anyond.model.rows import ExecutionProcess, Project, Task, TaskAttempt
from anyond.open_files import demand_room
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.operations.turn import chain
from anyond.operations.workspace import images, worktree
from anyond.store.board import attempts, projects, tasks
from anyond.store.board import images as image_rows
from anyond.store.engine.transaction import Tx


async def check(
    resources: Resources, project: Project, profile: ExecutorProfileId, base_branch: str
) -> None:
    """Check that an attempt could begin like this, before anything is written.

    Raises:
        Impossible: no such variant, agent or branch; worktrees cannot be made in `workspace_dir`.
        Conflict: `name_taken`: a branch is called as the prefix of those of attempts.
        Unavailable: nearly all descriptors are in use.
    """
    demand_room()
    check_options(profile.executor, resources.profiles.variant(profile))
    repository = project.repository
    await branches.resolve(repository, base_branch)
    prefix = resources.config.config.git_branch_prefix
    taken = await branches.in_the_way(repository, f"{prefix}/new")
    if taken is not None:
        raise NameTaken.prefix(taken, prefix)
    await worktree.prepare_root(resources)


async def attempt(
    resources: Resources, task_id: str, profile: ExecutorProfileId, base_branch: str
) -> tuple[TaskAttempt, ExecutionProcess]:
    """Write an attempt down, together with the process that it begins with.

    Raises:
        NotFound: no such task.
        Impossible: see `check`.
    """
    task = await resources.store.read(lambda r: tasks.get(r, task_id))
    project = await resources.store.read(lambda r: projects.get(r, task.project_id))
    await check(resources, project, profile, base_branch)
    return await resources.store.write(
        lambda tx: _insert(
            tx, resources, project, tasks.get(tx, task_id), profile=profile, base_branch=base_branch
        )
    )


async def task_and_attempt(
    resources: Resources, new: NewTask, profile: ExecutorProfileId, base_branch: str
) -> tuple[TaskAttempt, ExecutionProcess]:
    """A task and its first attempt, both or neither."""
    project = await resources.store.read(lambda r: projects.get(r, new.project_id))
    await check(resources, project, profile, base_branch)

    def work(tx: Tx) -> tuple[TaskAttempt, ExecutionProcess]:
        task = tasks.insert(tx, new, new_id(), now())
        return _insert(tx, resources, project, task, profile=profile, base_branch=base_branch)

    return await resources.store.write(work)


def _insert(
    tx: Tx,
    resources: Resources,
    project: Project,
    task: Task,
    *,
    profile: ExecutorProfileId,
    base_branch: str,
) -> tuple[TaskAttempt, ExecutionProcess]:
    attempt_id = new_id()
    row = attempts.insert(
        tx,
        id=attempt_id,
        task_id=task.id,
        branch=branches.branch_name(
            resources.config.config.git_branch_prefix, task.title, attempt_id
        ),
        target_branch=base_branch,
        executor=profile.executor.value,
        now=now(),
    )
    prompt = images.with_links(chain.task_prompt(task), image_rows.of_task(tx, task.id))
    process = run.insert(tx, attempt_id, task.id, chain.first(project, prompt, profile))
    return row, process
