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

T = TypeVar("T")
Json = dict[str, Any]

ROOT = Path(__file__).parents[1]
TIMEOUT_S = 120.0
"""Seconds after which something that has not happened will not happen."""


class Daemon:
    """One data directory and the daemon that serves it.

    Args:
        root: a directory that is not there yet.
        environment: what it has in common with other daemons.
    """

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

    def start(self, *options: str) -> None:
        """Start it on a free port and wait until it serves."""
        daemon_file = self.root / "run" / "daemon.json"
        daemon_file.unlink(missing_ok=True)
        self.launch("--port", "0", *options)
        self.until(daemon_file.exists, "the daemon's address")
        self.url = json.loads(daemon_file.read_text())["url"]
        self._http = httpx.Client(base_url=self.url, timeout=TIMEOUT_S)

    def stop(self) -> None:
        assert self._process is not None
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
        """The `data` of a successful answer."""
        answer = self._http.request(method, path, json=body)
        content = answer.json()
        if not content["success"]:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {content}")
        return content["data"]

    def socket(self, path: str) -> str:
        """The URL of a WebSocket."""
        return self.url.replace("http", "ws", 1) + path

    def project(self, repository: Path, setup_script: str | None = None) -> Json:
        return self.ask(  # type: ignore[no-any-return]
            "POST",
            "/api/projects",
            {
                "name": "Measured",
                "git_repo_path": str(repository),
                "use_existing_repo": True,
                "setup_script": setup_script,
            },
        )

    def use_agent(self, program: Path) -> None:
        """From now on, agents are this program."""
        variant = {"base_command_override": str(program)}
        self.ask("PUT", "/api/profiles", {"executors": {"ACP": {"DEFAULT": {"ACP": variant}}}})

    def attempt(self, project: Json) -> Json:
        """A task, and an attempt at it whose first program runs."""
        body = {
            "task": {"project_id": project["id"], "title": "Measure"},
            "executor_profile_id": {"executor": "ACP", "variant": None},
            "base_branch": "main",
        }
        task = self.ask("POST", "/api/tasks/create-and-start", body)
        return self.ask("GET", f"/api/task-attempts?task_id={task['id']}")[0]  # type: ignore[no-any-return]

    def attempts(self, project: Json, number: int) -> list[Json]:
        """Several at a time."""
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda _: self.attempt(project), range(number)))

    def process(self, attempt: Json) -> Json:
        """The newest process of an attempt."""
        path = f"/api/execution-processes?task_attempt_id={attempt['id']}"
        return self.ask("GET", path)[0]  # type: ignore[no-any-return]

    def over(self, attempt: Json) -> None:
        """Wait until nothing works on the attempt any more."""
        path = f"/api/tasks/{attempt['task_id']}"
        self.until(lambda: self.ask("GET", path)["status"] != "inprogress", "the end")

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
