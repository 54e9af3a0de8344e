"""The tools of Amp in the terms of Claude Code: names, input and results."""

from __future__ import annotations

import re
from typing import Any

from anyond.agents.claude.wire import anything

_NAMES = {
    "bash": "Bash",
    "shell_command": "Bash",
    "read": "Read",
    "create_file": "Write",
    "write_file": "Write",
    "edit_file": "Edit",
    "multi_edit": "MultiEdit",
    "glob": "Glob",
    "grep": "Grep",
    "finder": "Grep",
    "codebase_search_agent": "Grep",
    "list_directory": "LS",
    "read_web_page": "WebFetch",
    "web_search": "WebSearch",
    "todo_write": "TodoWrite",
    "todo_read": "TodoRead",
    "task": "Task",
}
_INPUTS = {"filePattern": "pattern", "objective": "query"}
_STATES = {"todo": "pending", "in-progress": "in_progress", "done": "completed"}
_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")


def canonical(name: str) -> str:
    """The name of a tool; one that Claude Code does not have keeps its own."""
    return _NAMES.get(name.lower(), name)


def canonical_input(name: str, given: Any) -> Any:
    """Return the input of a tool in canonical form.

    Args:
        name: canonical.
    """
    if not isinstance(given, dict):
        return given
    renamed = {_INPUTS.get(key, key): value for key, value in given.items()}
    if name == "TodoWrite" and isinstance(todos := renamed.get("todos"), list):
        renamed["todos"] = [_todo(todo) for todo in todos]
    return renamed


def _todo(todo: Any) -> Any:
    if not isinstance(todo, dict):
        return todo
    state = todo.get("status")
    return {**todo, "status": _STATES.get(state, state)} if isinstance(state, str) else todo


def result_data(name: str, content: Any) -> dict[str, Any] | None:
    """The data of a result, which Amp writes as JSON into its text; None if there are none.

    Args:
        name: canonical.
    """
    if name not in ("Bash", "Edit", "Write") or not isinstance(content, str):
        return None
    if not content.lstrip().startswith("{"):
        return None
    try:
        found = anything(content.encode())
    except (ValueError, RecursionError):
        return None  # a text for the model and nothing else
    if not isinstance(found, dict):
        return None
    if name == "Bash":
        output, code = found.get("output"), found.get("exitCode")
        data = {"stdout": output if isinstance(output, str) else ""}
        return {**data, "exitCode": code} if type(code) is int else data
    diff = found.get("diff")
    hunks = _hunks(diff) if isinstance(diff, str) else []
    return {"structuredPatch": hunks, "type": "update"} if hunks else None


def _hunks(diff: str) -> list[dict[str, Any]]:
    hunks: list[dict[str, Any]] = []
    for line in diff.split("\n"):
        if at := _HUNK.match(line):
            starts = {"oldStart": int(at[1]), "oldLines": int(at[2] or 1)}
            ends = {"newStart": int(at[3]), "newLines": int(at[4] or 1)}
            hunks.append({**starts, **ends, "lines": []})
        elif hunks and line[:1] in (" ", "-", "+", "\\"):
            hunks[-1]["lines"].append(line)
    return hunks
