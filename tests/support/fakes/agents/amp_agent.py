"""A scripted program that takes Amp's arguments and prints stream-json as Amp documents it.

Each line of the prompt is one thing to do: `write FILE TEXT`, `run COMMAND`, `say TEXT`, `recall`
(what was said in this thread before), `fail TEXT`, `wait` (until it is interrupted). Threads are
kept in $FAKE_STATE; a continued one is told again first, as Amp does.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

THREADS = Path(os.environ["FAKE_STATE"])


class Thread:
    """One thread, on disk and on standard output."""

    def __init__(self, known: str | None) -> None:
        self.id = known or f"T-{uuid.uuid4()}"
        self.file = THREADS / f"{self.id}.jsonl"
        if known and not self.file.exists():
            sys.exit(f"Error: Thread {known} not found")

    def emit(self, message: dict[str, Any], keep: bool = True) -> None:
        line = json.dumps({**message, "session_id": self.id})
        print(line, flush=True)
        if keep:
            with self.file.open("a") as file:
                file.write(line + "\n")

    def user(self, *blocks: dict[str, Any]) -> None:
        message = {"role": "user", "content": list(blocks)}
        self.emit({"type": "user", "message": message, "parent_tool_use_id": None})

    def assistant(self, *blocks: dict[str, Any]) -> None:
        used = {
            "input_tokens": 110,
            "cache_creation_input_tokens": 10,
            "cache_read_input_tokens": 90,
            "output_tokens": 5,
        }
        message = {"type": "message", "role": "assistant", "content": list(blocks), "usage": used}
        self.emit({"type": "assistant", "message": message, "parent_tool_use_id": None})

    def use(self, name: str, given: dict[str, Any], result: str) -> None:
        call = f"toolu_{uuid.uuid4().hex[:12]}"
        self.assistant({"type": "tool_use", "id": call, "name": name, "input": given})
        back = {"type": "tool_result", "tool_use_id": call, "content": result, "is_error": False}
        self.user(back)

    def result(self, **more: Any) -> None:
        self.emit({"type": "result", "duration_ms": 1, "num_turns": 1, **more}, keep=False)

    def prompts(self) -> list[str]:
        lines = map(json.loads, self.file.read_text().splitlines())
        users = [line["message"]["content"][0] for line in lines if line["type"] == "user"]
        return [block["text"] for block in users if block["type"] == "text"]


def work(thread: Thread, order: str) -> None:
    verb, _, rest = order.partition(" ")
    if verb == "write":
        name, _, text = rest.partition(" ")
        path = Path.cwd() / name
        path.write_text(text + "\n")
        given = {"path": str(path), "content": text + "\n"}
        thread.use("create_file", given, "Successfully created file")
    elif verb == "run":
        done = subprocess.run(rest, shell=True, capture_output=True, text=True, check=False)
        output = {"output": done.stdout + done.stderr, "exitCode": done.returncode}
        thread.use("Bash", {"cmd": rest, "cwd": str(Path.cwd())}, json.dumps(output))
    elif verb == "recall":
        thread.assistant({"type": "text", "text": "; ".join(thread.prompts()[:-1])})
    elif verb == "fail":
        thread.result(subtype="error_during_execution", is_error=True, error=rest)
        sys.exit(1)
    elif verb == "wait":
        thread.assistant({"type": "text", "text": "I wait."})
        signal.pause()
    else:
        thread.assistant({"type": "text", "text": rest or order})


def main() -> None:
    arguments = sys.argv[1:]
    assert {"--execute", "--stream-json", "--stream-json-input"} <= set(arguments)
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    # It works when its input has ended, not before.
    [reported] = sys.stdin.read().splitlines()
    blocks = json.loads(reported)["message"]["content"]
    if os.environ.get("AMP_API_KEY") == "":
        print("No API key found. Starting login flow...")
        sys.exit("Login failed.")
    old = arguments[2] if arguments[:2] == ["threads", "continue"] else None
    thread = Thread(old)
    start = {"type": "system", "subtype": "init", "cwd": str(Path.cwd()), "tools": ["Bash"]}
    thread.emit({**start, "mcp_servers": []}, keep=False)
    if old:
        print(thread.file.read_text(), end="")
    thread.user(*blocks)
    text = blocks[-1]["text"]
    for order in text.splitlines():
        work(thread, order)
    thread.result(subtype="success", is_error=False, result="Done.")


if __name__ == "__main__":
    main()
