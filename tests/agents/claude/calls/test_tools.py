"""Tools of Claude Code that no recording has, one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from anyond.agents.claude.calls.todos import Todos
from anyond.agents.claude.calls.tools import Call, Result
from anyond.agents.claude.wire import DEPTH, check_depth
from anyond.agents.common.paths import Paths
from anyond.model.entries import (
    Action,
    CommandRun,
    CommandRunResult,
    ExitCode,
    FileChangeEdit,
    FileChangeWrite,
    FileEdit,
    FileRead,
    Json,
    Markdown,
    Search,
    Succeeded,
    Success,
    TodoManagement,
    Tool,
    ToolResult,
    ToolUse,
    WebFetch,
)

TREE = "/home/me/tree"


def action(name: str, given: Any, result: Result | None = None) -> Action:
    kind = Call("tool:t", "t", name, given, Paths(TREE), result=result).entry().entry_type
    assert isinstance(kind, ToolUse)
    return kind.action_type


@pytest.mark.parametrize(
    ("path", "displayed"),
    [
        (f"{TREE}/a/b.py", "a/b.py"),
        (f"/private{TREE}/a.py", "a.py"),
        (TREE, "."),
        (f"{TREE}/../other", f"{TREE}/../other"),
        (f"{TREE}-2/a.py", f"{TREE}-2/a.py"),
        ("/etc/passwd", "/etc/passwd"),
        ("a.py", "a.py"),
    ],
)
def test_paths_are_relative_to_the_worktree_if_they_are_in_it(path: str, displayed: str) -> None:
    assert action("Read", {"file_path": path}) == FileRead(path=displayed)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("Grep", {"pattern": "x+"}, Search(query="x+")),
        ("Glob", {"pattern": "*.py"}, Search(query="*.py")),
        ("WebFetch", {"url": "http://a"}, WebFetch(url="http://a")),
        ("WebSearch", {"query": "trio"}, WebFetch(url="trio")),
        ("mcp__srv__do_it", {"a": 1}, Tool(tool_name="mcp:srv:do_it", arguments={"a": 1})),
        ("Novel", [1], Tool(tool_name="Novel", arguments=[1])),
        ("Bash", "not an object", CommandRun(command="")),
    ],
)
def test_each_tool_has_its_action(name: str, given: Any, expected: Action) -> None:
    assert action(name, given) == expected


def test_an_edit_that_has_not_happened_yet_is_a_diff_without_line_numbers() -> None:
    given = {"file_path": f"{TREE}/a", "old_string": "1\n2\n3", "new_string": "1\nzwei\n3"}
    assert action("Edit", given) == FileEdit(
        path="a",
        changes=[
            FileChangeEdit(unified_diff="--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n 1\n-2\n+zwei\n 3\n")
        ],
    )


def test_several_edits_are_several_hunks() -> None:
    edits = [{"old_string": "a", "new_string": "b"}, {"old_string": "", "new_string": "c\n"}]
    edit = action("MultiEdit", {"file_path": "f", "edits": edits})
    assert isinstance(edit, FileEdit)
    [change] = edit.changes
    assert isinstance(change, FileChangeEdit)
    assert change.unified_diff == (
        "--- a/f\n+++ b/f\n@@ -1,1 +1,1 @@\n-a\n+b\n@@ -0,0 +1,1 @@\n+c\n"
    )


def test_a_write_to_an_existing_file_becomes_an_edit() -> None:
    given = {"file_path": "f", "content": "new\n"}
    patch = [{"oldStart": 1, "oldLines": 1, "newStart": 1, "newLines": 1, "lines": ["-o", "+new"]}]
    updated = Result("updated", False, {"type": "update", "structuredPatch": patch})
    created = Result("created", False, {"type": "create", "structuredPatch": []})
    broken = Result("updated", False, {"type": "update", "structuredPatch": [{"oldStart": "x"}]})
    assert action("Write", given, created) == action("Write", given, broken)
    assert action("Write", given, created) == FileEdit(
        path="f", changes=[FileChangeWrite(content="new\n")]
    )
    assert action("Write", given, updated) == FileEdit(
        path="f",
        changes=[
            FileChangeEdit(
                unified_diff="--- a/f\n+++ b/f\n@@ -1,1 +1,1 @@\n-o\n+new\n", has_line_numbers=True
            )
        ],
    )


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (
            Result("Exit code 7\nout", True, "Error: Exit code 7\nout"),
            CommandRunResult(exit_status=ExitCode(code=7), output="out"),
        ),
        (
            Result("(Bash completed with no output)", False, {"stdout": "", "stderr": ""}),
            CommandRunResult(exit_status=Success(success=True), output=""),
        ),
        (
            Result("a\nb", False, {"stdout": "a", "stderr": "b"}),
            CommandRunResult(exit_status=Success(success=True), output="a\nb"),
        ),
        (
            Result("a sub-agent's", False),
            CommandRunResult(exit_status=Success(success=True), output="a sub-agent's"),
        ),
    ],
)
def test_a_command_shows_its_output_and_its_end(result: Result, expected: CommandRunResult) -> None:
    assert action("Bash", {"command": "x"}, result) == CommandRun(command="x", result=expected)


def test_a_result_that_is_json_is_data_and_everything_else_is_text() -> None:
    def result(text: str) -> ToolResult | None:
        displayed = action("Novel", {}, Result(text, False))
        assert isinstance(displayed, Tool)
        return displayed.result

    assert result('{"a": 1}') == ToolResult(type=Json(), value={"a": 1})
    assert result("{a}") == ToolResult(type=Markdown(), value="{a}")
    assert result("[" * 300 + "]" * 300) == ToolResult(type=Markdown(), value="[" * 300 + "]" * 300)


@pytest.mark.parametrize("kind", [lambda inner: [inner], lambda inner: {"a": inner, "b": 1}])
def test_a_value_may_be_nested_as_deep_as_is_said_and_no_deeper(
    kind: Callable[[Any], Any],
) -> None:
    value: Any = "the innermost"
    for _ in range(DEPTH):
        value = kind(value)
    check_depth(value)
    with pytest.raises(ValueError, match="too deep"):
        check_depth(kind(value))


def test_tasks_are_made_changed_and_removed_in_one_list() -> None:
    todos = Todos("todos")

    def done(name: str, given: Any, detail: Any = None, failed: bool = False) -> None:
        todos.begin(name, name, given)
        todos.end(name, Result("", failed, detail), Succeeded())

    done("TaskCreate", {"subject": "A"}, {"task": {"id": "1", "subject": "A"}})
    done("TaskCreate", {"subject": "B"}, {"task": {"id": "2", "subject": "B"}})
    done("TaskUpdate", {"taskId": "1", "status": "completed"})
    done("TaskUpdate", {"taskId": "2", "status": "deleted"})
    done("TaskUpdate", {"taskId": "1", "status": "pending"}, failed=True)
    done("TaskUpdate", {"taskId": "9", "status": "in_progress"})
    entry = todos.entry()
    assert isinstance(entry.entry_type, ToolUse)
    assert isinstance(entry.entry_type.action_type, TodoManagement)
    assert [(item.content, item.status) for item in entry.entry_type.action_type.todos] == [
        ("A", "completed"),
        ("Task 9", "in_progress"),
    ]
    assert entry.content == "To-do list: 1 of 2 done"
