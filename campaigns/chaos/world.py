"""One data directory, the daemons that serve it one after the other, and all that asks them.

Requests are raw HTTP: what became of each is a finding (not sent, unknown, or refused with which
envelope) that must not depend on what our client makes of it. Events are followed by the client.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx
import trio

from campaigns.chaos.ledgers import AgentLedger, Desk, Faults, Kill, Outcome
from tests.support.daemon import Daemon

AGENT = Path(__file__).with_name("agent.py")
TIMEOUT_S = 240.0
"""After which something that has not come about will not, on a machine that is busy with kills."""

PERSON = "CHAOS_PERSON"
"""A variable that marks the git of the person, which nobody kills."""


@dataclass(frozen=True)
class Answer:
    """The outcome of a request.

    Attributes:
        problem: the type of a refusal.
    """

    outcome: Outcome
    data: Any = None
    status: int = 0
    problem: str = ""
    began: float = 0.0


class Aim:
    """The present deed of somebody, for those who kill: a kind of action and its usual length."""

    def __init__(self) -> None:
        self.tried: Counter[str] = Counter()
        self._usual: dict[str, float] = {}
        self._newest = ""
        self._lot = trio.lowlevel.ParkingLot()

    def begin(self, kind: str) -> None:
        self._newest = kind
        self._lot.unpark_all()

    def learn(self, kind: str, seconds: float) -> None:
        before = self._usual.get(kind, seconds)
        self._usual[kind] = 0.7 * before + 0.3 * seconds

    def usual(self, kind: str) -> float:
        return self._usual.get(kind, 0.4)

    async def next(self) -> str:
        """The next action that begins; "idle" if none does for a while."""
        with trio.move_on_after(1.5):
            await self._lot.park()
            return self._newest
        return "idle"


class World:
    """A daemon in a directory of its own with repositories, projects, a person and ledgers.

    Attributes:
        records: the newest record of each task, attempt, process and approval, by its id.
        settling: nobody begins anything new; see `chapter`.
    """

    def __init__(self, root: Path, dice: Random) -> None:
        self.root = root
        self.dice = dice
        self.daemon = Daemon(root)
        self.port = _free_port(dice)
        self.agents = AgentLedger(root / "agents.jsonl")
        self.scripts = root / "scripts.jsonl"
        self.requests = root / "requests.jsonl"
        self.faults = Faults()
        self.kills: list[Kill] = []
        self.aim = Aim()
        self.desks: list[Desk] = []
        self.projects: list[dict[str, Any]] = []
        self.records: dict[str, dict[str, Any]] = {}
        self.events: list[tuple[int, str]] = []
        self.settling = False
        self.generation = 0
        self.persons: dict[str, list[tuple[str, str]]] = {}
        self._news = trio.lowlevel.ParkingLot()
        self._serves = False
        self._count = 0
        self.client = httpx.AsyncClient(verify=False, timeout=TIMEOUT_S)
        (root / "agent-state").mkdir()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # ------------------------------------------------------------ the daemon

    async def start(self, kill_after: float | None = None) -> None:
        """Start the daemon and wait until it serves, or kill it so many seconds after its start."""
        if kill_after is not None:
            with trio.move_on_after(kill_after):
                await self.daemon.start(port=self.port)
            if self.daemon._process is not None:
                self.kill_daemon("start-up")
                await self.gone()
        await self.daemon.start(port=self.port)
        self.generation += 1
        self._serves = True
        self.notify()

    def kill_daemon(self, what: str = "daemon") -> None:
        """SIGKILL, at once."""
        self._serves = False
        process = self.daemon._process
        assert process is not None
        process.kill()
        self.note_kill(what)

    async def gone(self) -> None:
        """Wait until the daemon that was killed is no more."""
        await self.daemon.kill()

    # ------------------------------------------------------------ asking

    def token(self, letter: str = "t") -> str:
        self._count += 1
        return f"{letter}{self._count}x{self.dice.randrange(1 << 20):x}"

    async def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Ask the daemon that is there, or the next one; what was asked and answered is noted."""
        while not self._serves:
            await self._news.park()
        generation, began = self.generation, time.monotonic()
        answer = await self._ask(method, path, body, began)
        if method != "GET":
            noted = [time.time(), method, path, body, answer.outcome, answer.status, answer.problem]
            with self.requests.open("a") as file:
                file.write(json.dumps(noted) + "\n")
        if answer.outcome in {"unknown", "unsent"}:
            with trio.move_on_after(TIMEOUT_S):
                while self.generation == generation:
                    await self._news.park()
        return answer

    async def _ask(self, method: str, path: str, body: object, began: float) -> Answer:
        try:
            reply = await self.client.request(method, self.url + path, json=body)
            content = reply.json()
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return Answer("unsent")
        except (httpx.HTTPError, RuntimeError, ValueError):
            return Answer("unknown")
        if reply.status_code < 400:
            return Answer("acknowledged", content.get("data"), reply.status_code, began=began)
        problem = (content.get("error_data") or {}).get("type") or ""
        # However long it took: a git that was killed meanwhile, or shortly before, is a reason.
        since = time.time() - (time.monotonic() - began) - 60
        if reply.status_code >= 500 and not self.git_killed(since):
            message = content.get("message")
            self.faults.half_done.append(
                f"{method} {path} was answered {reply.status_code}: {message}"
            )
        return Answer("refused", content, reply.status_code, problem)

    async def look(self, path: str) -> Any:
        """The data of a GET, from whichever daemon can tell; None if there is no such thing."""
        with trio.fail_after(TIMEOUT_S):
            while True:
                answer = await self.ask("GET", path)
                if answer.outcome == "acknowledged":
                    return answer.data
                if answer.outcome == "refused" and answer.status in {404, 409, 422}:
                    return None
                await trio.sleep(0.2)

    async def frames(self, path: str) -> list[Any]:
        """All frames of a stream of something that is over."""
        with trio.fail_after(TIMEOUT_S):
            return await self.daemon.frames(path)

    # ------------------------------------------------------------ news

    def notify(self) -> None:
        """Something has happened that somebody may wait for."""
        self._news.unpark_all()

    async def until(self, found: Callable[[], Any], what: str, seconds: float = TIMEOUT_S) -> Any:
        """Look again whenever there is news; a fault and None if nothing comes of it."""
        deadline = trio.current_time() + seconds
        while not (value := found()):
            if trio.current_time() > deadline:
                self.faults.half_done.append(f"{what} did not come about")
                return None
            with trio.move_on_after(0.5):
                await self._news.park()
        return value

    def processes(self, attempt_id: str) -> list[dict[str, Any]]:
        """Return the processes that the events have named so far, in no order."""
        return [
            record
            for record in self.records.values()
            if record.get("task_attempt_id") == attempt_id and "run_reason" in record
        ]

    def running(self, attempt_id: str) -> dict[str, Any] | None:
        rows = self.processes(attempt_id)
        return next(
            (r for r in rows if r["status"] == "running" and r["run_reason"] != "devserver"), None
        )

    # ------------------------------------------------------------ kills

    def note_kill(self, what: str, execution: str = "") -> None:
        """Somebody has just killed something; see `Kill`."""
        kill = Kill(what, time.time(), execution)
        self.kills.append(kill)
        with (self.root / "kills.jsonl").open("a") as file:
            file.write(json.dumps([kill.at, kill.what, kill.execution]) + "\n")

    def killed(self, execution: str) -> bool:
        """Return whether the shim or the agent of an execution was killed."""
        return any(kill.execution == execution for kill in self.kills)

    def shim_killed(self, execution: str) -> bool:
        return any(kill.execution == execution and kill.what == "shim" for kill in self.kills)

    def git_killed(self, since: float) -> bool:
        return any(kill.what == "git" and kill.at >= since for kill in self.kills)

    # ------------------------------------------------------------ the person's git

    def git(
        self, cwd: Path, *arguments: str, check: bool = True, env: dict[str, str] | None = None
    ) -> str:
        done = subprocess.run(
            ["git", "-c", "gc.auto=0", *arguments],
            cwd=cwd,
            env={**self.daemon.environment, PERSON: "1", "GIT_OPTIONAL_LOCKS": "0", **(env or {})},
            capture_output=True,
            text=True,
            check=check,
        )
        return done.stdout.strip()

    # ------------------------------------------------------------ the beginning

    async def furnish(self) -> None:
        """Start the daemon; two repositories with a project each, and agents."""
        await self.start()
        environment = {
            "CHAOS_LEDGER": str(self.root / "agents.jsonl"),
            "CHAOS_STATE": str(self.root / "agent-state"),
        }
        command = f"{sys.executable} {AGENT}"
        acp = {"base_command_override": f"{command} --acp", "env": environment}
        claude = {"base_command_override": command, "env": environment, "approvals": True}
        profiles = {
            "ACP": {"DEFAULT": {"ACP": acp}},
            "CLAUDE_CODE": {"DEFAULT": {"CLAUDE_CODE": claude}},
        }
        await self.daemon.ask("PUT", "/api/profiles", {"executors": profiles})
        for number in range(2):
            files = {f"d{n % 7}__f{n}.txt": f"{n}\n" for n in range(120)}
            files |= {"person.txt": "as it was\n", "shared.txt": "base\n"}
            repository = self.daemon.repository(f"repository{number}", **files)
            self.git(repository, "branch", "develop")
            remote = self.root / f"remote{number}.git"
            self.git(repository, "clone", "-q", "--bare", ".", str(remote))
            self.git(repository, "remote", "add", "origin", str(remote))
            if number:
                # A person works here: what they have not committed is theirs.
                (repository / "person.txt").write_text("as it is being edited\n")
                (repository / "notes.txt").write_text("notes\n")
            scripts = {"dev_script": self._script("dev") + "\nexec sleep 3600"}
            if number == 0:
                slow = "\nfor i in 1 2 3 4 5; do echo line $i; sleep 0.03; done\n"
                scripts["setup_script"] = self._script("setup") + slow + self._script("setup-end")
                scripts["cleanup_script"] = self._script("cleanup") + "\nsleep 0.1"
            self.projects.append(await self.daemon.project(repository, **scripts))

    def _script(self, what: str) -> str:
        """A line of a script that writes down that it is there."""
        return f"echo \"{what} $ANYON_EXECUTION $$\" >> '{self.scripts}'"

    async def leave(self) -> None:
        """End all that is there, without any care."""
        with trio.CancelScope(shield=True):
            await self.client.aclose()
            if self.daemon._process is not None:
                await self.daemon.kill()
            self.daemon.sweep()


def _free_port(dice: Random) -> int:
    """One that the system gives to nobody by itself, so that it is still free after a restart."""
    while True:
        port = dice.randrange(20000, 30000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
