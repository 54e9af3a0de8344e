"""A daemon that somebody else wrote: its API, its process, its files."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import httpx
import psutil

T = TypeVar("T")
Json = dict[str, Any]

TIMEOUT_S = 300.0
EXECUTOR = "AMP"
"""An agent that gets its prompt at once and says what it does: the least that can be imitated."""


class Options(NamedTuple):
    """All that is known of a peer.

    Args:
        url: where it answers.
        start_command: what starts it, so that it answers there; empty if it is not to be restarted.
        pid: its process; None if `start_command` is to be run first.
        data_directory: where it keeps its files, if that is to be measured.
    """

    url: str
    start_command: str
    pid: int | None
    data_directory: Path | None


class Peer:
    """A daemon that runs, or is started now."""

    def __init__(self, options: Options) -> None:
        self.url = options.url.rstrip("/")
        self._command = shlex.split(options.start_command)
        self._data = options.data_directory
        self._http = httpx.Client(base_url=self.url, timeout=TIMEOUT_S)
        self._process: subprocess.Popen[bytes] | None = None
        self.pid = options.pid
        if self.pid is None and self._command:
            self.start()

    @property
    def restarts(self) -> bool:
        """True if it can be stopped and started again."""
        return bool(self._command) and self.pid is not None

    # ------------------------------------------------------------ its process

    def start(self) -> float:
        """Start it; the seconds until it answers."""
        began = time.perf_counter()
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
        self.pid = self._process.pid
        self.until(self._answers, "an answer")
        return time.perf_counter() - began

    def stop(self) -> None:
        """End it as a service manager does; what still runs after that is killed."""
        assert self.pid is not None
        process = psutil.Process(self.pid)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except psutil.TimeoutExpired:
            process.kill()
        if self._process is not None:
            self._process.wait()

    def close(self) -> None:
        """End it if it was started here."""
        if self._process is not None and self._process.poll() is None:
            self.stop()

    def memory(self) -> tuple[int, int] | None:
        """Bytes of its own process, and of all below it; None if it is not known which it is."""
        if self.pid is None:
            return None
        own = psutil.Process(self.pid)
        below = 0
        for child in own.children(recursive=True):
            with suppress(psutil.Error):
                below += child.memory_info().rss
        return own.memory_info().rss, below

    def files(self) -> int | None:
        """Bytes of its files; None if it is not known where they are."""
        if self._data is None:
            return None
        total = 0
        for folder, _, names in os.walk(self._data):
            for name in names:
                with suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_size
        return total

    def until(self, look: Callable[[], T], what: str) -> T:
        """Look again and again until something true is seen."""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(0.005)
        raise TimeoutError(f"{what} did not come about within {TIMEOUT_S:.0f} s")

    # ------------------------------------------------------------ its API

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The `data` of an answer that says it succeeded."""
        answer = self._http.request(method, path, json=body)
        content = answer.json()
        if not content.get("success"):
            raise RuntimeError(f"{method} {path}: {answer.status_code} {content}")
        return content["data"]

    def socket(self, path: str) -> str:
        """The URL of a WebSocket."""
        return self.url.replace("http", "ws", 1) + path

    def use_agent(self, program: Path) -> str:
        """Let the agent be this program from now on; what the profiles were before."""
        before = str(self.ask("GET", "/api/profiles")["content"])
        profiles = json.loads(before)
        variant = {"base_command_override": str(program), "dangerously_allow_all": True}
        profiles.setdefault("executors", {}).setdefault(EXECUTOR, {})["DEFAULT"] = {
            EXECUTOR: variant
        }
        self.put_profiles(json.dumps(profiles))
        return before

    def put_profiles(self, content: str) -> None:
        """Replace the profiles of all agents."""
        head = {"Content-Type": "application/json"}
        self._http.put("/api/profiles", content=content, headers=head).raise_for_status()

    def project(self, repository: Path, setup_script: str | None = None) -> Json:
        body = {
            "name": f"Measured {repository.name}",
            "git_repo_path": str(repository),
            "use_existing_repo": True,
            "setup_script": setup_script,
            "dev_script": None,
            "cleanup_script": None,
            "copy_files": None,
        }
        return dict(self.ask("POST", "/api/projects", body))

    def task(self, project: Json, title: str) -> Json:
        body = {
            "project_id": project["id"],
            "title": title,
            "description": "What is to be done, why, and how one sees that it is.",
            "parent_task_attempt": None,
            "image_ids": None,
        }
        return dict(self.ask("POST", "/api/tasks", body))

    def attempt(self, task: Json) -> Json:
        body = {
            "task_id": task["id"],
            "executor_profile_id": {"executor": EXECUTOR, "variant": None},
            "base_branch": "main",
        }
        return dict(self.ask("POST", "/api/task-attempts", body))

    def processes(self, attempt: Json) -> list[Json]:
        """Those of an attempt, of all kinds."""
        return list(self.ask("GET", f"/api/execution-processes?task_attempt_id={attempt['id']}"))

    def over(self, attempt: Json) -> None:
        """Wait until nothing of an attempt runs."""
        self.until(lambda: self._is_over(attempt), "the end of an attempt")

    def worktree(self, attempt: Json) -> Path:
        """The directory in which the agent of an attempt works, once there is one."""
        path = f"/api/task-attempts/{attempt['id']}"
        return Path(self.until(lambda: self.ask("GET", path)["container_ref"], "a worktree"))

    def _is_over(self, attempt: Json) -> bool:
        found = self.processes(attempt)
        return bool(found) and all(process["status"] != "running" for process in found)

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"{self._command} ended with {self._process.returncode}")
        with suppress(httpx.TransportError):
            return self._http.get("/api/projects").status_code == 200
        return False
