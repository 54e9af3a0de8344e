"""A whole daemon as a user starts it, what it is asked to do, and what it costs meanwhile."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from anyond.api import attempts, processes, projects, system, tasks
from anyond.api.attempts import AttemptsOfTask
from anyond.api.declaration.params import Nothing, OfAttempt, OfTask
from anyond.api.processes import ProcessesOfAttempt
from anyond.client import Address, BlockingClient
from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.http.bodies import CreateAndStart, NewProject, NewTask
from anyond.model.rows import ExecutionProcess, Project, Task, TaskAttempt, TaskStatus
from benchmarks.profiling import Profiler

T = TypeVar("T")

TIMEOUT_S = 120.0
"""Seconds after which something that has not happened will not happen."""


class Daemon:
    """One data directory and the daemon that serves it.

    Args:
        root: a directory that is not there yet.
        environment: what it has in common with other daemons.
    """

    profiler: Profiler | None = None
    """Samples each daemon that is started from now on, if there is one."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self.root = root
        # Attempts that end by the dozen are not to be heard.
        quiet = {"notifications": {"sound_enabled": False, "push_enabled": False}}
        (root / "config").mkdir(parents=True)
        (root / "config" / "config.json").write_text(json.dumps(quiet))
        self.environment = {
            **environment,
            "ANYON_CONFIG_DIR": str(root / "config"),
            "ANYON_DATA_DIR": str(root / "data"),
            "ANYON_RUNTIME_DIR": str(root / "run"),
        }
        self.url = ""
        self.client: BlockingClient
        self._open: BlockingClient | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def launch(self, *options: str) -> None:
        """Start it without waiting for anything."""
        with (self.root / "daemon.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "anyond", "serve", *options],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.root,
            )
        if Daemon.profiler is not None:
            Daemon.profiler.attach(self._process.pid)

    def start(self, *options: str) -> None:
        """Start it on a free port and wait until it serves."""
        daemon_file = self.root / "run" / "daemon.json"
        daemon_file.unlink(missing_ok=True)
        self.launch("--port", "0", *options)
        self.until(daemon_file.exists, "the daemon's address")
        self.url = json.loads(daemon_file.read_text())["url"]
        self._http = httpx.Client(base_url=self.url, timeout=TIMEOUT_S)
        self._open = BlockingClient(Address(self.url), timeout_s=TIMEOUT_S)
        self.client = self._open.__enter__()

    def stop(self) -> None:
        assert self._process is not None
        if self._open is not None:
            self._open.__exit__(None, None, None)
            self._open = None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(TIMEOUT_S)
        finally:
            self._process.kill()

    def until(self, look: Callable[[], T], what: str) -> T:
        """Look again and again until something true is seen."""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            if self._process is not None and self._process.poll() is not None:
                break
            time.sleep(0.01)
        log = (self.root / "daemon.log").read_text(errors="replace")
        raise RuntimeError(f"{what} did not come about\n{log[-4000:]}")

    # ------------------------------------------------------------ its API

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The `data` of a successful answer, for requests that are measured themselves.

        The client runs in a thread of its own, which would be measured with them.
        """
        answer = self._http.request(method, path, json=body)
        content = answer.json()
        if not content["success"]:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {content}")
        return content["data"]

    def socket(self, path: str) -> str:
        """The URL of a WebSocket."""
        return self.url.replace("http", "ws", 1) + path

    def project(self, repository: Path, setup_script: str | None = None) -> Project:
        new = NewProject(
            name="Measured",
            git_repo_path=str(repository),
            use_existing_repo=True,
            setup_script=setup_script,
        )
        return self.client.call(projects.CREATE_PROJECT, Nothing(), new)

    def use_agent(self, program: Path) -> None:
        """From now on, agents are this program."""
        variant = {"base_command_override": str(program)}
        body = json.dumps({"executors": {"ACP": {"DEFAULT": {"ACP": variant}}}}).encode()
        self.client.call(system.UPDATE_EXECUTOR_PROFILES, system.Replace(), body)

    def task(self, project: Project, title: str = "T") -> Task:
        new = NewTask(project_id=project.id, title=title)
        return self.client.call(tasks.CREATE_TASK, Nothing(), new)

    def attempt(self, project: Project) -> TaskAttempt:
        """A task, and an attempt at it whose first program runs."""
        new = CreateAndStart(
            task=NewTask(project_id=project.id, title="Measure"),
            executor_profile_id=ExecutorProfileId(executor=Executor.ACP),
            base_branch="main",
        )
        task = self.client.call(tasks.CREATE_AND_START_TASK, Nothing(), new)
        return self.client.call(attempts.LIST_TASK_ATTEMPTS, AttemptsOfTask(task_id=task.id))[0]

    def attempts(self, project: Project, number: int) -> list[TaskAttempt]:
        """Several at a time."""
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda _: self.attempt(project), range(number)))

    def process(self, attempt: TaskAttempt) -> ExecutionProcess:
        """The newest process of an attempt."""
        of_attempt = ProcessesOfAttempt(task_attempt_id=attempt.id)
        return self.client.call(processes.LIST_EXECUTION_PROCESSES, of_attempt)[0]

    def over(self, attempt: TaskAttempt) -> None:
        """Wait until nothing works on the attempt any more."""
        of_task = OfTask(task_id=attempt.task_id)
        self.until(
            lambda: self.client.call(tasks.GET_TASK, of_task).status is not TaskStatus.IN_PROGRESS,
            "the end",
        )

    def end_runs(self, attempt: TaskAttempt) -> None:
        """Stop whatever runs in an attempt."""
        self.client.call(attempts.STOP_EXECUTION, OfAttempt(task_attempt_id=attempt.id))

    # ------------------------------------------------------------ what it costs

    def cpu(self) -> float:
        """Seconds of user and system time so far, of the daemon itself."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def rss(self) -> int:
        """Bytes of memory that it has now."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def shims(self) -> list[psutil.Process]:
        """The processes that keep its executions."""
        below = psutil.Process(self.pid).children()
        return [child for child in below if any("shim.py" in word for word in child.cmdline())]
