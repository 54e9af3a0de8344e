"""Evidence of a fault from ledgers, rows, refs and logs: the machine that found it may be gone
soon.

Everything is read from the directory of a world, so it can be asked again of one that was kept:
`python -m campaigns.chaos.evidence DIRECTORY "the fault, or a token, or an id"`.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

MOST_LINES = 40
"""Lines of the history of one fault; the newest are kept."""

_TOKEN = re.compile(r"\bt\d+x[0-9a-f]+")
_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_LOGGED = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z) (.*)")
_REPEATED = {"said", "written"}
"""Notes of agents of which the newest of a run is enough."""


class Line(NamedTuple):
    """One thing that happened, at so many Unix seconds."""

    at: float
    text: str


def of(root: Path, fault: str) -> list[str]:
    """The state of the attempts that `fault` names, and what happened to them, in order of time.

    If it names none, then all that clients have asked for.
    """
    names = {*_TOKEN.findall(fault), *_ID.findall(fault)}
    state: list[str] = []
    lines: list[Line] = []
    try:
        with closing(_database(root)) as rows:
            for attempt in _attempts(rows, names):
                names |= set(attempt[:2]) | _runs(rows, attempt[0])
                state += _state(rows, attempt[0])
                lines += _changes(rows, attempt[0])
    except sqlite3.Error as error:
        state.append(f"the database cannot be read: {error}")
    lines += [*_requests(root, names), *_agents(root, names), *_kills(root, names)]
    lines += _logged(root, names)
    history = [f"{_clock(at)} {text[:240]}" for at, text in sorted(set(lines))]
    left_out = len(history) - MOST_LINES
    if left_out > 0:
        history = [f"({left_out} earlier lines are left out)", *history[-MOST_LINES:]]
    return [*state, *_refs(root, fault, names), *history]


# ---------------------------------------------------------------- rows


def _database(root: Path) -> sqlite3.Connection:
    path = root / "data" / "anyon.db"
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def _attempts(rows: sqlite3.Connection, names: set[str]) -> list[tuple[str, str]]:
    """Attempts that are named, or whose task, run or question is; each with its task's title."""
    found: dict[str, str] = {}
    for name in sorted(names):
        asked = rows.execute(
            "SELECT DISTINCT a.id, t.title FROM task_attempts a JOIN tasks t ON t.id = a.task_id"
            " LEFT JOIN execution_processes p ON p.task_attempt_id = a.id"
            " LEFT JOIN approvals q ON q.task_attempt_id = a.id"
            " WHERE ? IN (a.id, t.id, t.title, p.id, q.id)",
            (name,),
        )
        found |= dict(asked.fetchall())
    return list(found.items())


def _runs(rows: sqlite3.Connection, attempt: str) -> set[str]:
    ask = "SELECT id FROM execution_processes WHERE task_attempt_id = ?"
    return {id for (id,) in rows.execute(ask, (attempt,))}


def _state(rows: sqlite3.Connection, attempt: str) -> Iterator[str]:
    for what, query in (
        ("attempt", "SELECT a.id, t.title, t.status AS task, a.branch, a.target_branch,"
                    " a.base_commit, a.container_ref FROM task_attempts a"
                    " JOIN tasks t ON t.id = a.task_id WHERE a.id = ?"),
        ("run", "SELECT id, run_reason, status, exit_code, dropped, stop_reason, created_at,"
                " completed_at, before_head_commit, after_head_commit FROM execution_processes"
                " WHERE task_attempt_id = ? ORDER BY number"),
        ("intent", "SELECT * FROM intents WHERE attempt_id = ?"),
        ("draft", "SELECT draft_type, state, substr(prompt, 1, 60) AS prompt FROM drafts"
                  " WHERE task_attempt_id = ?"),
        ("merge", "SELECT merge_commit, target_branch_name, target_before, created_at FROM merges"
                  " WHERE task_attempt_id = ?"),
        ("question", "SELECT id, execution_process_id, status, created_at, responded_at"
                     " FROM approvals WHERE task_attempt_id = ?"),
    ):  # fmt: skip
        answer = rows.execute(query, (attempt,))
        columns = [column[0] for column in answer.description]
        for row in answer:
            pairs = zip(columns, row, strict=True)
            yield f"{what}: {', '.join(f'{k} {v}' for k, v in pairs if v is not None)}"


def _changes(rows: sqlite3.Connection, attempt: str) -> Iterator[Line]:
    ask = "SELECT at, kind, key FROM changes WHERE attempt_id = ? AND kind <> 'entry'"
    for at, kind, key in rows.execute(ask, (attempt,)):
        yield Line(_seconds(at), f"row: {kind} {key}")


# ---------------------------------------------------------------- ledgers and logs


def _requests(root: Path, names: set[str]) -> Iterator[Line]:
    for text, noted in _noted(root / "requests.jsonl"):
        if not names or any(name in text for name in names):
            at, method, path, body, *became = noted
            asked = json.dumps(body) if body is not None else ""
            yield Line(at, f"client: {method} {path} {asked[:100]} {' '.join(map(str, became))}")


def _agents(root: Path, names: set[str]) -> list[Line]:
    found: dict[Any, Line] = {}
    for number, (_, note) in enumerate(_noted(root / "agents.jsonl")):
        if note["token"] not in names and note["execution"] not in names:
            continue
        often = note["kind"] in _REPEATED
        key = (note["kind"], note["token"], note["execution"]) if often else number
        more = {k: v for k, v in note.items() if k not in {"at", "kind", "token", "worktree"}}
        found[key] = Line(note["at"], f"agent: {note['kind']} {note['token']} {json.dumps(more)}")
    return list(found.values())


def _kills(root: Path, names: set[str]) -> Iterator[Line]:
    for _, (at, what, execution) in _noted(root / "kills.jsonl"):
        if not execution or execution in names:
            yield Line(at, f"killed: {what} {execution}")


def _logged(root: Path, names: set[str]) -> Iterator[Line]:
    with suppress(FileNotFoundError):
        for text in (root / "daemon.log").read_text(errors="replace").splitlines():
            line = _LOGGED.match(text)
            if line is not None and (
                any(name in text for name in names) or "[warning" in text or "[error" in text
            ):
                yield Line(_seconds(line[1]), f"daemon: {' '.join(line[2].split())}")


def _noted(file: Path) -> Iterator[tuple[str, Any]]:
    """The lines of a ledger, each as it is and decoded; its last may be half written."""
    with suppress(FileNotFoundError):
        for text in file.read_text().splitlines():
            with suppress(ValueError):
                yield text, json.loads(text)


# ---------------------------------------------------------------- git


def _refs(root: Path, fault: str, names: set[str]) -> Iterator[str]:
    """The branches and checkouts of what is named; all of them if a repository itself is."""
    for repository in sorted(root.glob("repository*")):
        every = repository.name in fault
        for ask in (
            ("for-each-ref", "--format=%(refname) %(objectname)"),
            ("worktree", "list", "-v"),
        ):
            done = subprocess.run(
                ["git", *ask], cwd=repository, capture_output=True, text=True, check=False
            )
            for line in done.stdout.splitlines():
                if every or any(name in line or name[:8] in line for name in names):
                    yield f"{repository.name}: {' '.join(line.split())}"


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]


if __name__ == "__main__":
    print("\n".join(of(Path(sys.argv[1]), sys.argv[2])))
