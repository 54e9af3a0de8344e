"""How the Cursor agent is started and set up, and how dialogues of its format are read."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from anyond.agents.common.core import (
    ConfirmsAtOnce,
    EntryPut,
    Interrupt,
    Outcome,
    SessionLost,
    SetsUp,
    Turn,
    TurnEnded,
)
from anyond.agents.common.paths import Paths
from anyond.agents.common.recap import RECAP_REMARK
from anyond.agents.cursor.agent import Cursor
from anyond.agents.cursor.text import Segments
from anyond.agents.cursor.tools import CursorCall
from anyond.model.entries import (
    Denied,
    ErrorMessage,
    FileChangeDelete,
    FileChangeEdit,
    FileChangeWrite,
    FileEdit,
    SetupRequired,
    TodoManagement,
    TokenUsage,
    Tool,
    ToolUse,
)
from anyond.model.launch import Launch
from anyond.model.records import Stream
from anyond.model.refusals.requests import Impossible
from tests.support.dialogues.acp_driver import entries, reported
from tests.support.dialogues.recordings import FOLDER, TREE, fold, load
from tests.support.dialogues.shown import expect, tool_of

NAMES = sorted(path.stem for path in (FOLDER / "cursor").glob("*.jsonl"))


def launch(session_id: str | None = None, **options: Any) -> Launch:
    return Cursor().launch(Turn(prompt="p", cwd=TREE, session_id=session_id, options=options))


def events_of(name: str) -> list[Any]:
    recording = load(FOLDER / "cursor" / f"{name}.jsonl")
    return fold(recording.fresh(), recording.records)


def uses(name: str) -> list[ToolUse]:
    found = [entry.entry_type for entry in entries(events_of(name)).values()]
    return [kind for kind in found if isinstance(kind, ToolUse)]


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_gives_the_expected_conversation(name: str) -> None:
    golden = (FOLDER / "cursor" / f"{name}.golden").read_text(encoding="utf-8")
    assert reported(events_of(name)) == golden.splitlines()


def test_it_is_started_with_stream_json() -> None:
    plain = launch()
    stream = ("-p", "--output-format", "stream-json", "--stream-partial-output")
    assert plain.argv == ("cursor-agent", *stream, "--approve-mcps", "--trust")
    assert "cursor.com/install" in plain.install


def test_options_shape_the_command() -> None:
    given = launch(
        "c-1",
        base_command_override="'/opt/my tools/agent' --beta",
        additional_params=["--header", "a b"],
        force=True,
        plan=True,
        model="gpt-5",
        env={"CURSOR_API_KEY": "k"},
        nonsense=7,
    )
    assert given.argv[:3] == ("/opt/my tools/agent", "--beta", "-p")
    assert given.argv[-9:] == (
        *("--force", "--mode", "plan", "--model", "gpt-5", "--header", "a b"),
        *("--resume", "c-1"),
    )
    assert given.env == {"CURSOR_API_KEY": "k"}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("force", "yes"),
        ("model", 4),
        ("additional_params", ["a\0b"]),
        ("env", {"A": 1}),
        ("base_command_override", "'open"),
    ],
)
def test_a_wrong_option_is_named(option: str, value: Any) -> None:
    with pytest.raises(Impossible) as refusal:
        launch(**{option: value})
    assert refusal.value.field.startswith(option)


def test_a_chat_cannot_be_an_option() -> None:
    with pytest.raises(Impossible):
        launch("--force")


def test_it_is_told_the_prompt_once_in_plain_words() -> None:
    options = {"append_prompt": " Please."}
    dialogue = Cursor().dialogue(Turn(prompt="Go\non", cwd=TREE, options=options))
    assert isinstance(dialogue, ConfirmsAtOnce)
    assert dialogue.confirms_at_once
    assert dialogue.outgoing() == [b"Go\non Please.\n"]
    dialogue.send(Interrupt())
    assert dialogue.outgoing() == []
    again = Cursor().dialogue(Turn(prompt="Go\non", cwd=TREE, options=options))
    [put] = again.receive(Stream.STDIN, b"Go\non Please.\n")
    assert isinstance(put, EntryPut)
    assert put.entry.content == "Go\non Please."
    assert again.outgoing() == []


def test_a_conversation_that_it_has_forgotten_is_retold_but_not_shown_again() -> None:
    dialogue = Cursor().dialogue(Turn(prompt="Go on", cwd=TREE, past="You had begun."))
    [line] = dialogue.outgoing()
    assert line.endswith(b"You had begun.\n\nGo on\n")
    put = dialogue.receive(Stream.STDIN, line)
    assert [event.entry.content for event in put if isinstance(event, EntryPut)] == [
        "Go on",
        RECAP_REMARK,
    ]


def test_another_chat_than_the_one_to_resume_is_a_lost_session() -> None:
    assert [e for e in events_of("forgotten") if isinstance(e, SessionLost)] == [SessionLost()]
    assert not [e for e in events_of("resumed") if isinstance(e, SessionLost)]


def test_what_must_be_set_up_is_told_as_that() -> None:
    [error] = [e for e in entries(events_of("login")).values() if "Authentication" in e.content]
    assert error.entry_type == ErrorMessage(error_type=SetupRequired())


@pytest.mark.parametrize(
    "line",
    [
        {"type": "result", "subtype": "error", "is_error": True, "result": "Invalid API key"},
        {"type": "error", "message": "Request failed with status code 401"},
    ],
)
def test_a_refused_key_is_to_be_set_up_with_how_to_log_in(line: dict[str, Any]) -> None:
    dialogue = Cursor().dialogue(Turn(prompt="p", cwd=TREE))
    events = dialogue.receive(Stream.STDOUT, json.dumps(line).encode() + b"\n")
    [error] = entries(events).values()
    assert error.entry_type == ErrorMessage(error_type=SetupRequired())
    assert "`cursor-agent login`" in error.content


@pytest.mark.parametrize(
    ("line", "words"),
    [({"type": "new"}, []), ({"type": "new", "text": " Tea! "}, ["Tea!"]), ({"type": "ping"}, [])],
)
def test_a_line_of_a_later_version_shows_its_words_or_nothing(
    line: dict[str, Any], words: list[str]
) -> None:
    dialogue = Cursor().dialogue(Turn(prompt="p", cwd=TREE))
    events = dialogue.receive(Stream.STDOUT, json.dumps(line).encode() + b"\n")
    assert [entry.content for entry in entries(events).values()] == words


def test_an_answer_that_only_asks_for_a_login_is_no_success() -> None:
    dialogue = Cursor().dialogue(Turn(prompt="p", cwd=TREE))
    words = "Not logged in. Please run 'cursor-agent login'."
    output = {"type": "assistant", "message": {"content": [{"type": "text", "text": words}]}}
    result = {"type": "result", "subtype": "success", "is_error": False, "result": words}
    lines = [json.dumps(line).encode() + b"\n" for line in (output, result)]
    events = [event for line in lines for event in dialogue.receive(Stream.STDOUT, line)]
    assert events[-1] == TurnEnded(Outcome.FAILED, words)
    [error] = entries(events).values()
    assert error.entry_type == ErrorMessage(error_type=SetupRequired())


def test_every_tool_tells_what_it_did() -> None:
    displayed = uses("every_tool")
    edits = [use.action_type for use in displayed if isinstance(use.action_type, FileEdit)]
    edited, written, replaced, deleted = [edit.changes[0] for edit in edits]
    change = expect(FileChangeEdit, edited)
    assert change.has_line_numbers
    assert "-    return 1\n+    return 2\n" in change.unified_diff
    assert written == FileChangeWrite(content="hello\n")
    assert expect(FileChangeEdit, replaced).unified_diff.endswith("-x\n+y\n")
    assert deleted == FileChangeDelete()
    [todos] = [use for use in displayed if isinstance(use.action_type, TodoManagement)]
    assert [
        (todo.content, todo.status) for todo in expect(TodoManagement, todos.action_type).todos
    ] == [
        ("Read", "completed"),
        ("Edit", "pending"),
    ]
    assert Denied(reason="Not allowed by the permissions") in [use.status for use in displayed]
    tools = [use.action_type for use in displayed if isinstance(use.action_type, Tool)]
    assert [tool.result.value for tool in tools if tool.result] == [
        {"hits": 2},
        "The query is empty.",
        {"thing": 1},
    ]
    assert tools[-1].arguments == {"a": 1}


HEAD = "--- a/a.py\n+++ b/a.py\n"
ONE = f"{HEAD}@@ -1,1 +1,1 @@\n-x\n+y\n"


@pytest.mark.parametrize(
    ("asked", "diff"),
    [
        ({"strReplace": {"oldText": "x", "newText": "y"}}, ONE),
        ({"multiStrReplace": {"edits": [{"oldText": "x", "newText": "y"}]}}, ONE),
        ({"applyPatch": {"patchContent": "-x\n+y"}}, ONE),
        ({"applyPatch": {"patchContent": "@@\n-x\n+y\n"}}, ONE),
        (
            {"applyPatch": {"patchContent": "--- a/a.py\n+++ b/a.py\n@@ -7 +7 @@\n-x\n+y\n"}},
            f"{HEAD}@@ -7 +7 @@\n-x\n+y\n",
        ),
        (
            {
                "applyPatch": {
                    "patchContent": "*** Begin Patch\n*** Update File: a.py\n@@ def a\n-x\n+y\n"
                    "@@ def b\n same\n-gone\n*** End Patch\n"
                }
            },
            f"{ONE}@@ -1,2 +1,1 @@\n same\n-gone\n",
        ),
    ],
)
def test_an_edit_is_a_diff_in_whichever_way_it_is_asked_for(asked: Any, diff: str) -> None:
    args = {"path": f"{TREE}/a.py", **asked}
    call = CursorCall("tool:1", "1", "edit", args, Paths(TREE))
    call.complete({"success": {"path": "a.py"}})
    action = expect(FileEdit, tool_of(call.entry()).action_type)
    change = expect(FileChangeEdit, *action.changes)
    assert (action.path, change.unified_diff) == ("a.py", diff)
    assert change.has_line_numbers is ("-7" in diff)


def test_the_tokens_of_the_turn_are_told() -> None:
    found = [entry.entry_type for entry in entries(events_of("every_tool")).values()]
    [usage] = [kind for kind in found if isinstance(kind, TokenUsage)]
    assert usage.model == "Claude 4.5 Sonnet"
    counts = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens)
    assert (*counts, usage.cache_write_tokens) == (1200, 34, 900, 10)


def test_repeated_texts_are_shown_once_and_none_is_lost() -> None:
    texts = Segments("text", thinking=False)
    displayed = {}
    for piece in ("One ", "two."):
        displayed["1"] = texts.piece(piece)
    assert texts.whole("One two.", last=False) is None
    texts.close()
    displayed["2"] = texts.whole("Never in pieces.", last=False)
    texts.close()
    assert texts.whole("One two.\nNever in pieces.", last=True) is None
    displayed["3"] = texts.whole("Something else.", last=True)
    assert [words.text for words in displayed.values() if words] == [
        "One two.",
        "Never in pieces.",
        "Something else.",
    ]


# ---------------------------------------------------------------- setup


def _program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_setup_installs_it_once_and_logs_in(tmp_path: Path) -> None:
    agent = Cursor()
    assert isinstance(agent, SetsUp)
    place = tmp_path / ".local" / "bin"
    place.mkdir(parents=True)
    tools = tmp_path / "tools"
    tools.mkdir()
    _program(tools, "downloaded", 'echo "$1 by $0" >> "$HOME/said"')
    # What the installer of the real one does, without the network.
    _program(tools, "curl", f"echo 'cp {tools}/downloaded {place}/cursor-agent; echo installed'")
    (tmp_path / ".bashrc").write_text("# mine\n")
    env = {"HOME": str(tmp_path), "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    outputs = []
    for script in [*agent.setup({"force": True}), *agent.setup({})]:
        done = subprocess.run(
            ["bash", "-c", script], env=env, capture_output=True, text=True, check=True
        )
        outputs.append(done.stdout)
    assert outputs == ["installed\n", "", "The Cursor agent is installed already.\n", ""]
    assert (tmp_path / "said").read_text() == f"login by {place}/cursor-agent\n" * 2
    assert (tmp_path / ".bashrc").read_text().count(".local/bin") == 1
    assert not (tmp_path / ".zshrc").exists()


def test_setup_of_another_command_logs_in_with_that() -> None:
    override = {"base_command_override": "'/opt/my tools/agent' --beta", "additional_params": ["x"]}
    [login] = Cursor().setup(override)
    assert login.endswith("'/opt/my tools/agent' --beta login\n")
