"""Checking what must be there after a power loss, in a daemon that was started on what was left."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from itertools import takewhile
from pathlib import Path
from typing import Any

import trio

from anyond.model.records import Stream
from anyond.procs.spools.record_scanner import parse
from campaigns.power.work import Fact
from tests.support.daemon import TIMEOUT_S, Daemon, Refused


class Check:
    """Compares what clients were told with what is there.

    Args:
        facts: what was told before the power went.
        logs_before: for each execution all bytes of its log, at the moment before.
        started: executions whose program had been started then.
    """

    def __init__(
        self, daemon: Daemon, facts: list[Fact], logs_before: dict[str, bytes], started: set[str]
    ) -> None:
        self.wrong: list[str] = []
        self.compared = 0
        self._again: set[str] = set()
        self._daemon = daemon
        self._facts = facts
        self._logs_before = logs_before
        self._started = started

    async def check_all(self, ledger: Path) -> None:
        """Look at everything; `wrong` is what was not as it must be."""
        await self._settled()
        latest = {(fact.kind, fact.key): fact for fact in self._facts}
        for fact in latest.values():
            look = getattr(self, f"_{fact.kind}", None)
            if look is None:
                continue
            self.compared += 1
            try:
                await look(fact.key, fact.value)
            except Refused as refused:
                self._complain(fact.kind, fact.key, f"refused: {refused}")
        self._again = {line.split()[1] for line in ledger.read_text().splitlines()}
        for execution in sorted(self._again & self._started):
            self._complain("twice", execution, "its program was started again")
        self._logs()
        self._database()
        self._git()
        log = self._daemon.log()
        if "Traceback" in log:
            self._complain("log", "daemon", log[log.index("Traceback") - 500 :][:3000])

    def _complain(self, kind: str, key: str, what: str) -> None:
        self.wrong.append(f"{kind} {key}: {what[:3000]}")

    async def _settled(self) -> None:
        """Whatever was running is over, or was started now."""
        with trio.move_on_after(TIMEOUT_S):
            while True:
                tasks = []
                for project in await self._daemon.ask("GET", "/api/projects"):
                    tasks += await self._daemon.ask("GET", f"/api/tasks?project_id={project['id']}")
                if not any(task["has_in_progress_attempt"] for task in tasks):
                    return
                for question in await self._daemon.ask("GET", "/api/approvals?status=pending"):
                    yes = {"status": {"status": "approved"}}
                    await self._daemon.request(
                        "POST", f"/api/approvals/{question['id']}/respond", json=yes
                    )
                await trio.sleep(0.1)
        self._complain("running", "", "something never ends")

    # ------------------------------------------------------------ one method for each kind of fact

    async def _task(self, key: str, title: str) -> None:
        if (await self._daemon.ask("GET", f"/api/tasks/{key}"))["title"] != title:
            self._complain("task", key, "another title")

    async def _attempt(self, key: str, branch: str) -> None:
        if (await self._daemon.ask("GET", f"/api/task-attempts/{key}"))["branch"] != branch:
            self._complain("attempt", key, "another branch")

    async def _final(self, key: str, expected: dict[str, Any]) -> None:
        found = await self._daemon.ask("GET", f"/api/execution-processes/{key}")
        if found != expected:
            self._complain("final", key, f"{expected} is now {found}")
        commit = expected["after_head_commit"]
        if commit and self._run_git("cat-file", "-e", f"{commit}^{{commit}}"):
            self._complain("final", key, f"its commit {commit} is gone")

    async def _log(self, key: str, expected: str) -> None:
        found = await self._daemon.raw({"id": key})
        if found != expected:
            self._complain("log", key, f"{len(expected)} characters are now {len(found)}")

    async def _entries(self, key: str, expected: list[Any]) -> None:
        found = await self._daemon.entries({"id": key})
        if found != expected:
            self._complain("entries", key, f"{len(expected)} entries are now {len(found)} others")

    async def _draft(self, key: str, text: str) -> None:
        found = await self._daemon.ask("GET", f"/api/task-attempts/{key}/draft")
        if found["prompt"] != text:
            self._complain("draft", key, f"{text} is now {found['prompt']}")

    async def _approved(self, key: str, _: str) -> None:
        with closing(sqlite3.connect(self._daemon.data / "anyon.db")) as database:
            row = database.execute("SELECT status FROM approvals WHERE id = ?", (key,)).fetchone()
        if row is None or row[0] != "approved":
            self._complain("approved", key, f"is now {row}")

    async def _tag(self, key: str, expected: Any) -> None:
        if await self._daemon.ask("GET", f"/api/tags/{key}") != expected:
            self._complain("tag", key, "is another")

    async def _config(self, _: str, prefix: str) -> None:
        config = (await self._daemon.ask("GET", "/api/info"))["config"]
        # A later one may have been on its way.
        if int(config["git_branch_prefix"][1:] or -1) < int(prefix[1:]):
            self._complain("config", prefix, f"is now {config['git_branch_prefix']}")

    async def _merged(self, key: str, file: str) -> None:
        status = await self._daemon.ask("GET", f"/api/task-attempts/{key}/branch-status")
        if not status["merges"]:
            self._complain("merged", key, "there is no merge")
        if self._run_git("cat-file", "-e", f"main:{file}"):
            self._complain("merged", key, f"{file} is not in main")

    async def _status(self, key: str, merges: list[Any]) -> None:
        found = await self._daemon.ask("GET", f"/api/task-attempts/{key}/branch-status")
        if found["merges"] != merges:
            self._complain("status", key, f"{merges} is now {found['merges']}")

    # ------------------------------------------------------------ the files

    def _logs(self) -> None:
        """Each log is what was said, up to some record; then only what was noted since."""
        for spool in (self._daemon.data / "executions").glob("*/log"):
            self.compared += 1
            content, before_cut = spool.read_bytes(), self._logs_before.get(spool.parent.name, b"")
            records, used, _ = parse(content, 0)
            before, _, _ = parse(before_cut, 0)
            same = sum(
                1
                for _ in takewhile(
                    lambda pair: pair[0] == pair[1], zip(records, before, strict=False)
                )
            )
            added = [one for one in records[same:] if one.stream is not Stream.NOTE]
            again = spool.parent.name in self._again
            if b"\0" in content or used < len(content) or (added and not again and same):
                what = f"{len(content)} bytes, {len(before_cut)} before, {same} records as before, "
                self._complain("log", spool.parent.name, what + f"{content[used : used + 100]!r}")

    def _database(self) -> None:
        self.compared += 1
        with closing(sqlite3.connect(self._daemon.data / "anyon.db")) as database:
            found = database.execute("PRAGMA integrity_check").fetchall()
            broken = database.execute("PRAGMA foreign_key_check").fetchall()
        if found != [("ok",)] or broken:
            self._complain("database", "anyon.db", f"{found} {broken}")

    def _git(self) -> None:
        self.compared += 1
        done = self._git_program("fsck", "--connectivity-only", "--no-dangling")
        if done.returncode:
            self._complain("git", "fsck", done.stdout + done.stderr)

    def _run_git(self, *arguments: str) -> int:
        return self._git_program(*arguments).returncode

    def _git_program(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments],
            cwd=self._daemon.root / "project",
            env=self._daemon.environment,
            capture_output=True,
            text=True,
            check=False,
        )
