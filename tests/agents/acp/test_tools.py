"""Tool calls of the Agent Client Protocol mean the same whatever agent makes them."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyond.agents.acp.calls.tools import ToolCall
from anyond.agents.common.diff import unified_diff
from anyond.agents.common.paths import relative_path
from anyond.model.entries import (
    CommandRun,
    CommandRunResult,
    Created,
    ExitCode,
    Failed,
    FileChangeDelete,
    FileChangeEdit,
    FileChangeRename,
    FileChangeWrite,
    FileEdit,
    FileRead,
    Json,
    PlanPresentation,
    Search,
    Succeeded,
    TaskCreate,
    Tool,
    ToolResult,
    WebFetch,
)
from tests.support.dialogues.shown import command_result, expect, tool_of


def tool(*updates: dict[str, Any]) -> ToolCall:
    call = ToolCall("t", "/w")
    for update in updates:
        call.merge(update)
    return call


def action(*updates: dict[str, Any]) -> Any:
    return tool_of(tool(*updates).entry()).action_type


def diff(path: str, old: str | None, new: str) -> dict[str, Any]:
    return {"type": "diff", "path": path, "oldText": old, "newText": new}


def edit(path: str, text: str) -> FileEdit:
    return FileEdit(path=path, changes=[FileChangeEdit(unified_diff=text)])


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ({"kind": "read", "locations": [{"path": "/w/a/b"}]}, FileRead(path="a/b")),
        ({"kind": "read", "rawInput": {"file_path": "/w/x"}}, FileRead(path="x")),
        ({"kind": "read", "rawInput": {"pattern": "foo"}}, Search(query="foo")),
        ({"kind": "read", "title": "README"}, FileRead(path="README")),
        (
            {"kind": "read", "title": "List /w", "rawInput": {"directory_path": "/w"}},
            FileRead(path="."),
        ),
        (
            {"kind": "search", "title": "ListFiles: .", "rawInput": {"path": "/w"}},
            Search(query="."),
        ),
        ({"kind": "search", "rawInput": {"pattern": "x", "path": "/w/a"}}, Search(query="x")),
        (
            {"kind": "other", "title": "Glob *.md", "rawInput": {"patterns": ["*.md", "*.py"]}},
            Search(query="*.md, *.py"),
        ),
        ({"kind": "search", "rawInput": {"query": "q"}}, Search(query="q")),
        ({"kind": "search", "title": "'q'"}, Search(query="q")),
        ({"kind": "fetch", "rawInput": {"url": "http://u"}}, WebFetch(url="http://u")),
        ({"kind": "fetch", "title": "Get http://u/x now"}, WebFetch(url="http://u/x")),
        ({"kind": "execute", "rawInput": {"command": "ls"}}, CommandRun(command="ls")),
        (
            {"kind": "execute", "rawInput": {"command": ["bash", "-lc", "a && b"]}},
            CommandRun(command="a && b"),
        ),
        (
            {"kind": "execute", "rawInput": {"command": ["ls", "a b"]}},
            CommandRun(command="ls 'a b'"),
        ),
        ({"kind": "execute", "title": "`make`"}, CommandRun(command="make")),
        (
            {"kind": "switch_mode", "rawInput": {"plan": "# P"}, "title": "Ready?"},
            PlanPresentation(plan="# P"),
        ),
        (
            {"kind": "think", "rawInput": {"subagent_type": "general", "description": "job"}},
            TaskCreate(description="job"),
        ),
        (
            {"kind": "other", "title": "Set", "rawInput": {"a": 1}, "rawOutput": {"b": 2}},
            Tool(
                tool_name="Set", arguments={"a": 1}, result=ToolResult(type=Json(), value={"b": 2})
            ),
        ),
        (
            {"kind": "move", "rawInput": {"source": "/w/a", "destination": "/w/b"}},
            FileEdit(path="a", changes=[FileChangeRename(new_path="b")]),
        ),
        (
            {"kind": "delete", "locations": [{"path": "/w/a"}], "content": [diff("/w/a", "x", "")]},
            FileEdit(path="a", changes=[FileChangeDelete()]),
        ),
        (
            {"kind": "edit", "content": [diff("/w/a", None, "x\n")]},
            FileEdit(path="a", changes=[FileChangeWrite(content="x\n")]),
        ),
        (
            {"kind": "edit", "content": [diff("/w/a", "x\n", "y\n")]},
            edit("a", "--- a/a\n+++ b/a\n@@ -1,1 +1,1 @@\n-x\n+y\n"),
        ),
        (
            {"kind": "edit", "rawInput": {"path": "/w/a", "old_str": "x", "new_str": "y"}},
            edit("a", "--- a/a\n+++ b/a\n@@ -1,1 +1,1 @@\n-x\n+y\n"),
        ),
        (
            {"kind": "edit", "rawInput": {"filePath": "/w/a", "content": "x"}},
            FileEdit(path="a", changes=[FileChangeWrite(content="x")]),
        ),
        (
            {"kind": "edit", "content": [diff("/w/a", "", "x\n"), diff("/w/b", "", "y\n")]},
            FileEdit(
                path="a, b",
                changes=[
                    FileChangeEdit(unified_diff=f"--- a/{n}\n+++ b/{n}\n@@ -0,0 +1,1 @@\n+{t}\n")
                    for n, t in (("a", "x"), ("b", "y"))
                ],
            ),
        ),
    ],
)
def test_a_tool_call_becomes_an_action(update: dict[str, Any], expected: object) -> None:
    assert action(update) == expected


def output(raw: Any = None, *texts: str, status: str = "completed") -> CommandRunResult | None:
    content = [{"type": "content", "content": {"type": "text", "text": text}} for text in texts]
    ended = {"kind": "execute", "status": status, "rawOutput": raw, "content": content}
    result: CommandRunResult | None = action(ended).result
    return result


@pytest.mark.parametrize(
    ("result", "code", "text"),
    [
        (output({"output": "o", "metadata": {"exit": 3}}), 3, "o"),
        (output({"exit_code": 1, "stdout": "o", "stderr": "e"}), 1, "oe"),
        (
            output({"contents": [{"exitCode": 0}]}, "o\n<shellId: 4 completed with exit code 0>"),
            0,
            "o",
        ),
        (output(None, "o\n<shellId: 4 completed with exit code 2>"), 2, "o"),
        (output("o", "Command: x\nOutput: o\nExit Code: 3\nSignal: 0"), 3, "o"),
        (output("", "Command: x\nOutput: (empty)\nError: (none)\nExit Code: 0\nSignal: 0"), 0, ""),
        (output(None, "Command: x\nOutput: a\nb\nError: (none)\nExit Code: 1"), 1, "a\nb"),
        (output({"metadata": {"exit": 1}}, "(no output)"), 1, ""),
        (output("(Bash completed with no output)"), None, ""),
        (output(None, "Command exited with code: 4"), 4, ""),
        (output("plain"), None, "plain"),
        (output(None, "a", "b"), None, "ab"),
    ],
)
def test_output_and_exit_code_are_found(
    result: CommandRunResult, code: int | None, text: str
) -> None:
    assert result.output == text
    assert result.exit_status == (None if code is None else ExitCode(code=code))


def test_what_a_terminal_shows_is_the_output() -> None:
    def terminal(**meta: Any) -> dict[str, Any]:
        return {"_meta": {f"terminal_{name}": value for name, value in meta.items()}}

    call = tool(
        {"kind": "execute", "title": "make", "content": [{"type": "terminal"}]},
        terminal(output_delta={"data": "a"}),
        terminal(output_delta={"data": "b\n"}, exit={"exit_code": 2, "signal": None}),
        {"status": "completed"},
    )
    ended = CommandRunResult(exit_status=ExitCode(code=2), output="ab\n")
    assert tool_of(call.entry()).action_type == CommandRun(command="make", result=ended)
    assert tool_of(call.entry()).status == Failed()


def test_what_is_said_of_a_command_before_it_runs_is_no_output() -> None:
    printed = [{"type": "content", "content": {"type": "text", "text": "List the files"}}]
    reported = {"kind": "execute", "rawInput": {"command": "ls"}, "content": printed}
    call = tool({"kind": "execute", "status": "pending"}, reported)
    assert tool_of(call.entry()).action_type == CommandRun(command="ls")
    call.merge({"status": "completed", "content": printed})
    assert command_result(tool_of(call.entry())).output == "List the files"


def test_what_was_denied_has_no_result() -> None:
    call = tool({"kind": "execute", "rawInput": {"command": "ls"}})
    call.deny()
    call.merge({"status": "failed", "rawOutput": "User refused permission to run tool"})
    assert tool_of(call.entry()).action_type == CommandRun(command="ls")


def test_a_command_that_ran_and_failed_has_failed() -> None:
    failed = tool({"kind": "execute", "status": "completed", "rawOutput": {"exit_code": 3}})
    assert tool_of(failed.entry()).status == Failed()
    ran = tool({"kind": "execute", "status": "completed", "rawOutput": {"exit_code": 0}})
    assert tool_of(ran.entry()).status == Succeeded()


def test_the_worktree_has_no_long_name_in_a_title() -> None:
    for title, displayed in (
        ("List /w", "List ."),
        ("List /w/a", "List a"),
        ("List /world", "List /world"),
    ):
        assert tool({"kind": "read", "title": title}).title == displayed


def test_later_messages_add_and_never_blank() -> None:
    call = tool(
        {"title": "write", "kind": "edit", "status": "pending", "rawInput": {}},
        {"title": "/w/a", "content": [diff("/w/a", None, "x")], "locations": [{"path": "/w/a"}]},
        {"status": "completed", "title": "a", "content": [{"type": "content"}], "locations": []},
    )
    entry = call.entry()
    assert expect(FileEdit, tool_of(entry).action_type).changes == [FileChangeWrite(content="x")]
    assert tool_of(entry).status == Succeeded()
    assert entry.metadata == {"tool_call_id": "t"}


def test_a_question_tells_what_would_be_changed() -> None:
    call = ToolCall("t", "/w")
    change = {"content": [diff("/w/a", None, "x\n")], "locations": [{"path": "/w/a"}]}
    call.merge({"kind": "edit", "title": "Writing to a", **change}, True)
    assert call.question["changes"] == [{"action": "write", "content": "x\n"}]


def test_a_foreign_tool_is_asked_about_by_its_name_and_arguments() -> None:
    displayed = {"type": "content", "content": {"type": "text", "text": '{"text":"tea"}'}}
    for update, name in (
        ({"title": "echo (of that server)", "content": [displayed]}, "echo (of that server)"),
        (
            {
                "title": '{"text":"tea"}',
                "rawInput": {"text": "tea"},
                "_meta": {"toolName": "mcp__server__echo"},
            },
            "mcp__server__echo",
        ),
    ):
        call = ToolCall("t", "/w")
        call.merge({"kind": "other", **update}, True)
        assert (call.title, call.question) == (name, {"text": "tea"})
        used = Tool(tool_name=name, arguments={"text": "tea"}, result=None)
        assert tool_of(call.entry()).action_type == used


def test_what_a_question_explains_is_no_output() -> None:
    call = ToolCall("t", "/w")
    text = {"type": "content", "content": {"type": "text", "text": "[in /w] (Run it)"}}
    call.merge({"kind": "execute", "title": "ls", "status": "pending", "content": [text]}, True)
    assert tool_of(call.entry()).action_type == CommandRun(command="ls")
    assert tool_of(call.entry()).status == Created()


@pytest.mark.parametrize(
    ("path", "cwd", "displayed"),
    [
        ("/w/a", "/w", "a"),
        ("/w", "/w/", "."),
        ("/w/./b/../a", "/w", "a"),
        ("/world/a", "/w", "/world/a"),
        ("/w/../etc/passwd", "/w", "/w/../etc/passwd"),
        ("/private/tmp/w/a", "/tmp/w", "a"),
        ("/tmp/w/a", "/private/tmp/w", "a"),
        ("file:///w/a", "/w", "a"),
        ("a/b", "/w", "a/b"),
        ("/a", "/", "a"),
    ],
)
def test_paths_are_shown_relative_to_the_worktree(path: str, cwd: str, displayed: str) -> None:
    assert relative_path(path, cwd) == displayed


_texts = st.lists(st.sampled_from(["a", "b", "c", "", "\x0c", " "]), max_size=12).map("\n".join)


@settings(max_examples=40, deadline=None)
@given(old=_texts, new=_texts)
def test_git_applies_our_diffs(tmp_path_factory: Any, old: str, new: str) -> None:
    # Two texts without a last newline are taken for pieces of a file; whole files are meant here.
    old, new = (text + "\n" if text else "" for text in (old, new))
    patch = unified_diff("f", old, new)
    if not patch:
        assert old == new
        return
    folder: Path = tmp_path_factory.mktemp("diff")
    (folder / "f").write_bytes(old.encode())
    command = ["git", "apply", "--whitespace=nowarn", "--unidiff-zero", "-"]
    subprocess.run(command, cwd=folder, input=patch.encode(), check=True, capture_output=True)
    assert (folder / "f").read_bytes() == new.encode()


@pytest.mark.cost
def test_a_huge_change_does_not_take_long() -> None:
    chance = random.Random(1)
    old, new = ("".join(f"{chance.randrange(5000)}\n" for _ in range(100_000)) for _ in range(2))
    start = time.process_time()
    patch = unified_diff("f", old, new)
    assert time.process_time() - start < 2
    assert patch.count("\n") == 200_003
