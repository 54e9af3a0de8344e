"""A daemon for a browser: started, killed and started again at the same address, without Trio."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.daemon import ACP_AGENT, TIMEOUT_S
from tests.support.paths import ROOT

GIT_CONFIG = "[user]\n\tname = Ada\n\temail = ada@localhost\n"


class BoardDaemon:
    """One data directory below `root`, a home in it, and whatever daemon serves it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.home.mkdir(parents=True)
        (self.home / ".gitconfig").write_text(GIT_CONFIG)
        config = root / "config"
        config.mkdir(mode=0o700)
        quiet = {"notifications": {"sound_enabled": False, "push_enabled": False}}
        (config / "config.json").write_text(json.dumps(quiet))
        (config / "config.json").chmod(0o600)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "GIT_CONFIG_NOSYSTEM": "1",
            "ANYON_GITHUB_URL": "http://127.0.0.1:9",
            "ANYON_CONFIG_DIR": str(config),
            "ANYON_DATA_DIR": str(root / "data"),
            "ANYON_RUNTIME_DIR": str(root / "run"),
            "ANYON_DEMO_STATE": str(root / "demo-state"),
            "ANYON_DEMO_PACE": "0.2",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            for attempt in self.ask("GET", "/api/task-attempts"):
                self.ask("POST", f"/api/task-attempts/{attempt['id']}/stop", {})
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(TIMEOUT_S)

    def start(self) -> None:
        """Start the daemon, and return when it answers."""
        with (self.root / "daemon.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "anyond", "serve", "--port", str(self.port)],
                env=self.environment,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                self.ask("GET", "/api/health")
            except OSError:
                assert self._process.poll() is None, (self.root / "daemon.log").read_text()
                assert time.monotonic() < deadline, "The daemon did not start."
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End the daemon as a crash does; its agents work on."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(TIMEOUT_S)
        self._process = None

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The `data` of an answer. Raises `OSError` if there is none, or if it is a refusal."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json"}, method=method
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)["data"]

    def repository(self, name: str = "tea") -> Path:
        """A new repository in the home, with one commit."""
        folder = self.home / name
        folder.mkdir()
        (folder / "README.md").write_text("# Tea timer\n")
        (folder / "tea.py").write_text("import time\n\ntime.sleep(120)\n")
        self.git(folder, "init", "-q", "-b", "main")
        self.git(folder, "add", "-A")
        self.git(folder, "commit", "-qm", "A timer")
        return folder

    def git(self, folder: Path, *words: str) -> str:
        """What git says."""
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            env=self.environment,
            capture_output=True,
            check=True,
            text=True,
        )
        return done.stdout

    def project(self, name: str = "tea") -> str:
        """A project with a new repository; its id."""
        path = str(self.repository(name))
        body = {"name": name, "git_repo_path": path, "use_existing_repo": True}
        return str(self.ask("POST", "/api/projects", body)["id"])

    def use_scripted_agent(self) -> None:
        """From now on the executor ACP is the scripted agent of the tests."""
        state = self.root / "agent-state"
        state.mkdir()
        variant = {
            "base_command_override": f"{sys.executable} {ACP_AGENT}",
            "env": {"ACP_AGENT_STATE": str(state)},
        }
        body = {"executors": {"ACP": {"DEFAULT": {"ACP": variant}}}}
        self.ask("PUT", "/api/profiles", body)

    def attempt(
        self, project: str, script: str, executor: str = "ACP", title: str = "Do it"
    ) -> str:
        """An attempt at a new task, which has just been started; its id."""
        body = {
            "task": {"project_id": project, "title": title, "description": script},
            "executor_profile_id": {"executor": executor},
            "base_branch": "main",
        }
        task = self.ask("POST", "/api/tasks/create-and-start", body)
        [attempt] = self.ask("GET", f"/api/task-attempts?task_id={task['id']}")
        return str(attempt["id"])

    def finish(self, attempt: str) -> None:
        """Wait until nothing of an attempt runs."""
        deadline = time.monotonic() + TIMEOUT_S
        path = f"/api/execution-processes?task_attempt_id={attempt}"
        while any(one["status"] == "running" for one in self.ask("GET", path)):
            assert time.monotonic() < deadline, "The attempt does not end."
            time.sleep(0.05)
