"""The tour: one made-up task, from an idea to a merged change, through the API like any client."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import trio
from rich.console import Console
from rich.markup import escape
from rich.rule import Rule
from rich.syntax import Syntax
from trio_websocket import ConnectionClosed, open_websocket_url

from anyond.git.program import command
from anyond.host.daemon_file import DaemonFile
from anyond.model.refusals.programs import ProgramMissing, ToolFailed

START_SECONDS = 20.0
TURN_SECONDS = 60.0
STOP_SECONDS = 15.0

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


def run() -> int:
    """Show everything, then clean up behind it.

    Returns:
        The exit code: 0 if every step went as it should, 128 and the number of the signal that
        ended it before.
    """
    return trio.run(_run)


async def _run() -> int:
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
                    await _Tour(console, root).show()
            except* (ToolFailed, ProgramMissing, httpx.HTTPError, ConnectionClosed) as group:
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


class _Tour:
    def __init__(self, console: Console, root: Path) -> None:
        self._console = console
        self._root = root
        self._step = 0
        self._http: httpx.AsyncClient
        self._displayed: dict[int, int] = {}
        self._line_open: int | None = None

    async def show(self) -> None:
        await command.version()  # raises if there is no git, or too old a one
        self._headline("Starting the daemon (its own data directory, its own port)")
        async with _daemon(self._root) as url, _client(url, 60) as http:
            self._http = http
            self._detail(f"serving at {url}")
            quiet = {"sound_enabled": False, "push_enabled": False}  # here somebody is watching
            await self._ask("PUT", "/api/config", {"notifications": quiet})
            repository = self._sample_repository()
            project = await self._make_project(repository)
            self._headline("Creating a task and giving it to the agent DEMO")
            attempt = await self._start(project)
            self._detail(f"branch    {attempt['branch']}")
            self._detail(f"worktree  {attempt['container_ref']}")
            self._headline("The agent at work, live")
            await self._watch(await self._latest_process(attempt["id"]))
            self._headline("A follow-up: the agent resumes its session")
            self._detail(f'"{FOLLOW_UP}"')
            process = await self._ask(
                "POST", f"/api/task-attempts/{attempt['id']}/follow-up", {"prompt": FOLLOW_UP}
            )
            await self._watch(process)
            status = await self._ask("GET", f"/api/task-attempts/{attempt['id']}/branch-status")
            self._headline("What the branch has now")
            self._detail(
                f"{status['commits_ahead']} commits ahead of {status['target_branch_name']}, "
                f"{status['commits_behind']} behind, "
                f"{'uncommitted changes' if status['has_uncommitted_changes'] else 'all committed'}"
            )
            self._headline("Merging into main")
            await self._ask("POST", f"/api/task-attempts/{attempt['id']}/merge", {})
            task = await self._ask("GET", f"/api/tasks/{attempt['task_id']}")
            self._detail(f"the task is {task['status']}")
            self._show_merge(repository)
        self._how_to_go_on()

    # ------------------------------------------------------------ steps

    def _sample_repository(self) -> Path:
        self._headline("Making a small sample repository")
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
        self._detail(str(repository))
        return repository

    async def _make_project(self, repository: Path) -> dict[str, Any]:
        body = {"name": "Tea timer", "git_repo_path": str(repository), "use_existing_repo": True}
        return await self._ask("POST", "/api/projects", body)  # type: ignore[no-any-return]

    async def _start(self, project: dict[str, Any]) -> dict[str, Any]:
        task = await self._ask(
            "POST",
            "/api/tasks/create-and-start",
            {
                "task": {
                    "project_id": project["id"],
                    "title": TITLE,
                    "description": DESCRIPTION,
                },
                "executor_profile_id": {"executor": "DEMO", "variant": None},
                "base_branch": "main",
            },
        )
        self._detail(f'task      "{task["title"]}"')
        attempts = await self._ask("GET", f"/api/task-attempts?task_id={task['id']}")
        return attempts[0]  # type: ignore[no-any-return]

    async def _latest_process(self, attempt_id: str) -> dict[str, Any]:
        rows = await self._ask("GET", f"/api/execution-processes?task_attempt_id={attempt_id}")
        return rows[0]  # type: ignore[no-any-return]

    async def _watch(self, process: dict[str, Any]) -> None:
        """Show the conversation as it grows, and answer what the agent asks."""
        self._displayed.clear()
        path = f"/api/execution-processes/{process['id']}/normalized-logs/ws"
        url = str(self._http.base_url).replace("http", "ws", 1).rstrip("/") + path
        with trio.move_on_after(TURN_SECONDS) as scope:
            async with open_websocket_url(url) as socket:
                while True:
                    frame = json.loads(await socket.get_message())
                    if frame.get("finished"):
                        break
                    await self._entry(frame)
        if scope.cancelled_caught:
            raise ToolFailed("demo", f"The agent was not done after {TURN_SECONDS:g} s.")
        self._close_line()
        row = await self._ask("GET", f"/api/execution-processes/{process['id']}")
        if row["status"] != "completed":
            raise ToolFailed("demo", f"The agent's run is {row['status']}.")
        self._detail(f"the run is {row['status']} (exit code {row['exit_code']}) and committed")

    async def _entry(self, frame: dict[str, Any]) -> None:
        kind = frame["entry_type"]["type"]
        index, text = frame["index"], frame["content"]
        if kind in ("assistant_message", "thinking"):
            self._stream(index, text, "" if kind == "assistant_message" else "dim italic")
        elif kind == "tool_use":
            await self._tool(index, frame["entry_type"], text)
        elif kind == "error_message" and self._first(index, 1):
            self._line(f"[red]{escape(text)}[/red]")

    async def _tool(self, index: int, tool: dict[str, Any], text: str) -> None:
        action, status = tool["action_type"], tool["status"]
        stage = {"created": 1, "pending_approval": 2}.get(status["status"], 3)
        if self._first(index, stage):
            mark = {1: "[cyan]…[/cyan]", 2: "[yellow]?[/yellow]", 3: "[green]✓[/green]"}[stage]
            if status["status"] in ("failed", "denied", "timed_out"):
                mark = "[red]✗[/red]"
            self._line(f"{mark} [bold]{action['action']}[/bold] {escape(_first_line(text))}")
            if action["action"] == "todo_management":
                for todo in action["todos"]:
                    self._line(f"    {escape(todo['status']):<12} {escape(todo['content'])}")
        if stage == 2:
            self._line("    the agent asks for permission; approving it through the API")
            await self._ask(
                "POST",
                f"/api/approvals/{status['approval_id']}/respond",
                {"status": {"status": "approved"}},
            )
        result = action.get("result") or {}
        if stage == 3 and action["action"] == "command_run" and self._first(index, 4):
            for line in (result.get("output") or "").rstrip().splitlines():
                self._line(f"    [dim]{escape(line)}[/dim]")

    def _show_merge(self, repository: Path) -> None:
        self._headline("The merged change, in your checkout of main")
        displayed = _git(repository, "log", "-1", "--format=%h %s", "main")
        self._detail(displayed.strip())
        change = _git(repository, "diff", "main^1", "main")
        if self._console.is_terminal:
            self._console.print(Syntax(change, "diff", background_color="default"))
        else:
            self._console.print(change, markup=False)

    def _how_to_go_on(self) -> None:
        self._console.print(Rule("How to go on"))
        anyon = Path(sys.argv[0])
        command = f"{anyon}" if anyon.name == "anyon" else "anyon"
        self._console.print(
            f"""
Start the daemon:          {command} serve
Look at it:                curl http://127.0.0.1:8096/api/info
Use your own repository:   curl -X POST http://127.0.0.1:8096/api/projects \\
                             -H 'Content-Type: application/json' \\
                             -d '{{"name": "Mine", "git_repo_path": "/absolute/path",
                                  "use_existing_repo": true}}'
With a real agent:         "executor": "CLAUDE_CODE", "CODEX", "GEMINI" … in the body of
                           POST /api/tasks/create-and-start; /api/info says which are there.
The whole API:             http://127.0.0.1:8096/docs
Everything else:           README.md
""",
            markup=False,
        )

    # ------------------------------------------------------------ how it looks

    def _headline(self, text: str) -> None:
        self._close_line()
        self._step += 1
        self._console.print(f"\n[bold blue]{self._step}.[/bold blue] [bold]{escape(text)}[/bold]")

    def _detail(self, text: str) -> None:
        self._console.print(f"   {escape(text)}")

    def _line(self, markup: str) -> None:
        self._close_line()
        self._console.print(f"   {markup}")

    def _stream(self, index: int, text: str, style: str) -> None:
        displayed = self._displayed.get(index, 0)
        if self._line_open != index:
            self._close_line()
            self._console.print("   ", end="")
            self._line_open = index
        piece = text[displayed:].replace("\n", "\n   ")
        self._console.print(escape(piece), end="", style=style or None)
        self._displayed[index] = len(text)

    def _close_line(self) -> None:
        if self._line_open is not None:
            self._console.print()
            self._line_open = None

    def _first(self, index: int, stage: int) -> bool:
        fresh = self._displayed.get(index, 0) < stage
        self._displayed[index] = max(stage, self._displayed.get(index, 0))
        return fresh

    async def _ask(self, method: str, path: str, body: object = None) -> Any:
        answer = await self._http.request(method, path, json=body)
        content = answer.json()
        if not content["success"]:
            raise ToolFailed("demo", f"{method} {path}: {content['message']}")
        return content["data"]


@asynccontextmanager
async def _daemon(root: Path) -> AsyncIterator[str]:
    """A daemon of its own, as a user starts it; stopped at the end."""
    environment = dict(os.environ)
    for name in ("CONFIG", "DATA", "RUNTIME"):
        environment[f"ANYON_{name}_DIR"] = str(root / name.lower())
    environment["ANYON_DEMO_STATE"] = str(root / "agent")
    command = [sys.executable, "-m", "anyond", "serve", "--port", "0", "--host", "127.0.0.1"]
    with (root / "daemon.log").open("wb") as log:
        process = await trio.lowlevel.open_process(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl+C in a terminal goes to a whole group, and this one is still needed then.
            start_new_session=True,
        )
    url = None
    try:
        url = await _where(root / "runtime" / "daemon.json", process)
        yield url
    finally:
        with trio.CancelScope(shield=True):
            if url is not None:
                await _end_runs(url)
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            with trio.move_on_after(5):
                await process.wait()
            if process.returncode is None:
                process.kill()
                await process.wait()


def _client(url: str, timeout_s: float) -> httpx.AsyncClient:
    """A client of the daemon at `url`, which is on this machine.

    A proxy in the person's environment could not reach it, and no certificates are needed.
    """
    return httpx.AsyncClient(base_url=url, timeout=timeout_s, trust_env=False, verify=False)


async def _end_runs(url: str) -> None:
    """End every agent: they would live on when their daemon is gone, as they should elsewhere."""
    with trio.move_on_after(STOP_SECONDS), suppress(httpx.HTTPError):
        async with _client(url, STOP_SECONDS) as http:
            for attempt in (await http.get("/api/task-attempts")).json()["data"]:
                await http.post(f"/api/task-attempts/{attempt['id']}/stop")
                runs = f"/api/execution-processes?task_attempt_id={attempt['id']}"
                while True:
                    rows = (await http.get(runs)).json()["data"]
                    if all(row["status"] != "running" for row in rows):
                        break
                    await trio.sleep(0.05)


async def _where(file: Path, process: trio.Process) -> str:
    with trio.move_on_after(START_SECONDS):
        while process.poll() is None:
            daemon_file = DaemonFile.read(file)
            if daemon_file is not None:
                return daemon_file.url
            await trio.sleep(0.02)
    raise ToolFailed("anyon", "The daemon did not start.")


def _git(cwd: Path, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    done = subprocess.run(
        ["git", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ToolFailed("git", f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 100 else line[:97] + "..."
