"""A script is one command in the structured log: at work, then with its exit code and output."""

from __future__ import annotations

import json
from typing import Any

from anyond.logs import script
from anyond.model.http.frames import EntryFrame
from anyond.model.rows import ScriptContext


def tool(frame: EntryFrame) -> Any:
    return json.loads(frame.entry)["entry_type"]


def test_a_script_at_work_is_created_and_the_same_entry_later_tells_its_end() -> None:
    at_work = script.running("make", ScriptContext.SETUP, 1)
    over = script.finished("make", ScriptContext.SETUP, 1, 0, b"built\n")
    assert (at_work.index, over.index) == (0, 0)
    assert at_work.seq < over.seq
    assert tool(at_work)["status"] == {"status": "created"}
    assert tool(over)["status"] == {"status": "success"}
    assert tool(over)["action_type"]["result"] == {
        "exit_status": {"type": "exit_code", "code": 0},
        "output": "built\n",
    }


def test_a_failed_script_says_so_and_a_long_output_keeps_its_end_in_whole_lines() -> None:
    tail = b"".join(b"line %d\n" % n for n in range(10_000))
    displayed = tool(script.finished("x", ScriptContext.CLEANUP, 1, 3, tail))
    assert displayed["status"] == {"status": "failed"}
    output = displayed["action_type"]["result"]["output"]
    assert output.startswith("[…]\nline ")
    assert output.endswith("line 9999\n")
    assert len(output) < script.TAIL_MOST + 10
