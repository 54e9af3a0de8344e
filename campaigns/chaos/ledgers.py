"""Facts that are known outside of the daemon: the deeds of agents and scripts, and the answers to
clients.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["acknowledged", "refused", "unknown", "unsent"]
"""`unknown`: the connection died before there was an answer."""


@dataclass
class Prompt:
    """One message of a person, which only its token tells from others.

    Attributes:
        manner: how it was sent: create, follow_up, retry, queue or steer.
    """

    token: str
    manner: str
    outcome: Outcome = "unknown"


@dataclass
class Desk:
    """An attempt, as the client that drives it knows it.

    Attributes:
        worktree: None as long as it is not known that there is one.
        branches: the names that its branch may have.
        answers: what was decided about each question, and with which outcome.
        deleted: files that were deleted, and have to stay away.
        merged: how many merges were acknowledged, and how many may have happened beside them.
        tips: commits that an acknowledged merge has to have brought to a target.
        may_wait: whether a rebase may be waiting at a conflict.
        stops: from when to when each stop was asked for, in Unix seconds.
        gone: whether it was deleted.
    """

    task_id: str
    id: str
    title: str
    repository: Path
    worktree: Path | None
    claude: bool
    branches: set[str]
    prompts: list[Prompt] = field(default_factory=list)
    answers: dict[str, list[tuple[bool, Outcome]]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    merged: int = 0
    merged_perhaps: int = 0
    tips: list[tuple[str, str]] = field(default_factory=list)
    may_wait: bool = False
    stops: list[tuple[float, float]] = field(default_factory=list)
    gone: Literal["no", "perhaps", "yes"] = "no"


class AgentLedger:
    """The ledger of the agents of a world.

    Attributes:
        received: for each token, the executions that were told it.
        recapped: tokens of prompts that were told as something earlier.
        lines_written: for each execution and token, the largest number written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self.notes: list[dict[str, Any]] = []
        self.received: dict[str, list[str]] = defaultdict(list)
        self.recapped: set[str] = set()
        self.taken: dict[str, list[str]] = defaultdict(list)
        self.lines_written: dict[tuple[str, str], int] = defaultdict(int)
        self.begun: Counter[str] = Counter()
        self.done: set[str] = set()
        self.written: list[dict[str, Any]] = []
        self.commits: list[dict[str, Any]] = []
        self.decisions: dict[str, list[bool]] = defaultdict(list)
        self.asked: dict[str, str] = {}

    def read(self) -> None:
        """Take up what was appended since."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        self._take(json.loads(line) for line in whole.splitlines())

    def _take(self, notes: Iterable[dict[str, Any]]) -> None:
        for note in notes:
            kind, token, execution = note["kind"], note["token"], note["execution"]
            if kind == "begun":
                self.begun[execution] += 1
            elif kind == "received":
                self.received[token].append(execution)
            elif kind == "retold":
                self.recapped.add(token)
            elif kind == "taken":
                self.taken[token].append(execution)
            elif kind == "said":
                self.lines_written[execution, token] = max(
                    self.lines_written[execution, token], note["n"]
                )
            elif kind == "done":
                self.done.add(token)
            elif kind == "written":
                self.written.append(note)
            elif kind == "committed":
                self.commits.append(note)
            elif kind == "asked":
                self.asked[note["call"]] = execution
            elif kind == "heard":
                self.decisions[note["call"]].append(note["allowed"])
            self.notes.append(note)


@dataclass(frozen=True)
class Kill:
    """One that was done.

    Attributes:
        what: daemon, start-up, shim, agent or git.
        execution: whose shim or agent it was.
        at: Unix seconds.
    """

    what: str
    at: float
    execution: str = ""


@dataclass
class Faults:
    """The faults that must not be, by kind."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    half_done: list[str] = field(default_factory=list)

    def listed(self) -> list[str]:
        named = vars(self).items()
        return [f"{name.replace('_', ' ')}: {text}" for name, texts in named for text in texts]
