"""The tour: one made-up task, from an idea to a merged change, through the API like any client."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import trio
from rich.console import Console
from rich.markup import escape

from anyond.api import approvals, attempts, branches, processes, projects, system, tasks
from anyond.api.approvals import OfApproval
from anyond.api.attempts import AttemptsOfTask
from anyond.api.declaration.params import Nothing, OfAttempt, OfProcess, OfTask
from anyond.api.processes import FollowedLog, ProcessesOfAttempt
from anyond.client import Client
from anyond.client.errors import ClientError
from anyond.demo.own_daemon import own_daemon
from anyond.demo.screen import Screen
from anyond.git.program import command
from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.http.bodies import (
    Answer,
    ApprovalAnswer,
    CreateAndStart,
    FollowUp,
    Merging,
    NewProject,
    NewTask,
)
from anyond.model.refusals.programs import ProgramMissing, ToolFailed
from anyond.model.rows import (
    ApprovalStatus,
    ExecutionProcess,
    ProcessStatus,
    Project,
    TaskAttempt,
)
from anyond.procs import desktop

TURN_S = 60.0

README = """# Tea timer

A small program that waits until the tea is ready.
"""
PROGRAM = """import time

MINUTES = {"green": 2, "black": 4}


def wait_for(tea):
    time.sleep(MINUTES[tea] * 60)
    print("Your tea is ready.")
"""
TITLE = "Describe how the tea timer is used"
DESCRIPTION = "Add a section to the README for somebody who has never seen the program."
FOLLOW_UP = "Add a sentence about oolong as well."
GOING_ON = """
Start the daemon:          {anyon} serve
Open the board:            http://127.0.0.1:8096/
See this task on it:       {anyon} demo --keep
Use your own repository:   curl -X POST http://127.0.0.1:8096/api/projects \\
                             -H 'Content-Type: application/json' \\
                             -d '{{"name": "Mine", "git_repo_path": "/absolute/path",
                                  "use_existing_repo": true}}'
With a real agent:         "executor": "CLAUDE_CODE", "CODEX", "GEMINI" … in the body of
                           POST /api/tasks/create-and-start; /api/info says which are there.
The whole API:             http://127.0.0.1:8096/docs
Everything else:           README.md
"""


ON_THE_BOARD = """
The board, with this task:  {address}

The daemon goes on until you press Ctrl+C here; then everything of the demo is removed.
"""


def run(*, keep: bool = False) -> int:
    """Show everything, then clean up behind it.

    Args:
        keep: show the task on the board, too, and go on until a signal comes.

    Returns:
        The exit code: 0 if every step went as it should, 128 and the number of the signal that
        ended it before.
    """
    return trio.run(_run, keep)


async def _run(keep: bool) -> int:
    console = Console(highlight=False, soft_wrap=True)
    endings = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # else it is to stay (nohup)
        endings.append(signal.SIGHUP)
    code = 0
    ended: list[int] = []
    with trio.open_signal_receiver(*endings) as signals:
        root = Path(tempfile.mkdtemp(prefix="anyon-demo-"))
        async with trio.open_nursery() as nursery:
            showing = trio.CancelScope()

            async def listen() -> None:
                async for number in signals:  # and those after the first find it under way
                    ended.append(number)
                    showing.cancel()

            nursery.start_soon(listen)
            try:
                with showing:
                    await command.version()  # raises if there is no git, or too old a one
                    await _show(Screen(console), root, keep)
            except* (ToolFailed, ProgramMissing, ClientError) as group:
                code = 1
                for error in group.exceptions:
                    console.print(f"[red]The demo could not go on:[/red] {escape(str(error))}")
                log = root / "daemon.log"
                if log.exists():
                    console.print(escape(log.read_text(errors="replace")[-4000:]))
            finally:
                shutil.rmtree(root, ignore_errors=True)
            nursery.cancel_scope.cancel()
    return 128 + ended[0] if ended else code


async def _show(screen: Screen, root: Path, keep: bool) -> None:
    screen.headline("Starting the daemon (its own data directory, its own port)")
    async with own_daemon(root) as client:
        attempt = await _Tour(screen, client, root).show()
        if keep:
            address = f"{client.address.url}/#/attempts/{attempt.id}"
            screen.rule("The board", ON_THE_BOARD.format(address=address))
            await desktop.show(address)
            await trio.sleep_forever()
    anyon = Path(sys.argv[0])
    name = f"{anyon}" if anyon.name == "anyon" else "anyon"
    screen.rule("How to go on", GOING_ON.format(anyon=name))


class _Tour:
    def __init__(self, screen: Screen, client: Client, root: Path) -> None:
        self._screen = screen
        self._client = client
        self._root = root

    async def show(self) -> TaskAttempt:
        screen, client = self._screen, self._client
        screen.detail(f"serving at {client.address.url}")
        quiet = {"sound_enabled": False, "push_enabled": False}  # here somebody is watching
        await client.call(system.UPDATE_CONFIGURATION, Nothing(), {"notifications": quiet})
        repository = self._sample_repository()
        project = await self._make_project(repository)
        screen.headline("Creating a task and giving it to the agent DEMO")
        attempt = await self._start(project)
        of_attempt = OfAttempt(task_attempt_id=attempt.id)
        screen.detail(f"branch    {attempt.branch}")
        screen.detail(f"worktree  {attempt.container_ref}")
        screen.headline("The agent at work, live")
        await self._watch(await self._latest_process(attempt.id))
        screen.headline("A follow-up: the agent resumes its session")
        screen.detail(f'"{FOLLOW_UP}"')
        process = await client.call(attempts.SEND_FOLLOW_UP, of_attempt, FollowUp(prompt=FOLLOW_UP))
        await self._watch(process)
        status = await client.call(attempts.GET_BRANCH_STATUS, of_attempt)
        screen.headline("What the branch has now")
        screen.detail(
            f"{status.commits_ahead} commits ahead of {status.target_branch_name}, "
            f"{status.commits_behind} behind, "
            f"{'uncommitted changes' if status.has_uncommitted_changes else 'all committed'}"
        )
        screen.headline("Merging into main")
        await client.call(branches.MERGE_TO_TARGET_BRANCH, of_attempt, Merging())
        task = await client.call(tasks.GET_TASK, OfTask(task_id=attempt.task_id))
        screen.detail(f"the task is {task.status.value}")
        screen.headline("The merged change, in your checkout of main")
        screen.detail(_git(repository, "log", "-1", "--format=%h %s", "main").strip())
        screen.patch(_git(repository, "diff", "main^1", "main"))
        return attempt

    def _sample_repository(self) -> Path:
        self._screen.headline("Making a small sample repository")
        repository = self._root / "tea-timer"
        repository.mkdir()
        (repository / "README.md").write_text(README)
        (repository / "tea.py").write_text(PROGRAM)
        for words in (
            ("init", "-q", "-b", "main"),
            ("add", "-A"),
            ("-c", "user.name=Demo", "-c", "user.email=demo@localhost", "commit", "-qm", "A timer"),
        ):
            _git(repository, *words)
        self._screen.detail(str(repository))
        return repository

    async def _make_project(self, repository: Path) -> Project:
        new = NewProject(name="Tea timer", git_repo_path=str(repository), use_existing_repo=True)
        return await self._client.call(projects.CREATE_PROJECT, Nothing(), new)

    async def _start(self, project: Project) -> TaskAttempt:
        new = CreateAndStart(
            task=NewTask(project_id=project.id, title=TITLE, description=DESCRIPTION),
            executor_profile_id=ExecutorProfileId(executor=Executor.DEMO),
            base_branch="main",
        )
        task = await self._client.call(tasks.CREATE_AND_START_TASK, Nothing(), new)
        self._screen.detail(f'task      "{task.title}"')
        of_task = AttemptsOfTask(task_id=task.id)
        return (await self._client.call(attempts.LIST_TASK_ATTEMPTS, of_task))[0]

    async def _latest_process(self, attempt_id: str) -> ExecutionProcess:
        of_attempt = ProcessesOfAttempt(task_attempt_id=attempt_id)
        return (await self._client.call(processes.LIST_EXECUTION_PROCESSES, of_attempt))[0]

    async def _watch(self, process: ExecutionProcess) -> None:
        """Show the conversation as it grows, and answer what the agent asks."""
        self._screen.begin_conversation()
        followed = FollowedLog(execution_process_id=process.id)
        with trio.move_on_after(TURN_S) as scope:
            async with self._client.follow(processes.STREAM_NORMALIZED_LOGS, followed) as entries:
                async for entry in entries:
                    approval_id = self._screen.entry(entry.index, entry)
                    if approval_id is not None:
                        await self._approve(approval_id)
        if scope.cancelled_caught:
            raise ToolFailed("demo", f"The agent was not done after {TURN_S:g} s.")
        self._screen.close_line()
        of_process = OfProcess(execution_process_id=process.id)
        row = await self._client.call(processes.GET_EXECUTION_PROCESS, of_process)
        status = row.status.value
        if row.status is not ProcessStatus.COMPLETED:
            raise ToolFailed("demo", f"The agent's run is {status}.")
        self._screen.detail(f"the run is {status} (exit code {row.exit_code}) and committed")

    async def _approve(self, approval_id: str) -> None:
        self._screen.line("    the agent asks for permission; approving it through the API")
        approved = Answer(status=ApprovalAnswer(status=ApprovalStatus.APPROVED))
        of_approval = OfApproval(approval_id=approval_id)
        await self._client.call(approvals.RESPOND_TO_APPROVAL, of_approval, approved)


def _git(cwd: Path, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    done = subprocess.run(
        ["git", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ToolFailed("git", f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout
