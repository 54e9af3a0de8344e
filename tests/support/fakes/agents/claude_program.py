"""A program that passes for `claude` where any turn will do: it answers, and writes files.

Standard library only; put it on the PATH as `claude`. Of the prompt it understands lines
`write FILE TEXT` (a tool call for which it asks permission) and `wait` (until it is ended); to all
of it, it answers in one sentence. For what the real program says there are recordings.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any


def send(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def hear() -> dict[str, Any]:
    """The next message to the program; its standard input being closed is its end."""
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)  # type: ignore[no-any-return]


def acknowledge(message: dict[str, Any]) -> None:
    answer = {"subtype": "success", "request_id": message["request_id"], "response": {}}
    send(type="control_response", response=answer)


def speak(*content: dict[str, Any]) -> None:
    message = {"id": f"msg_{uuid.uuid4().hex}", "role": "assistant", "model": "fake"}
    send(type="assistant", message={**message, "content": list(content)}, parent_tool_use_id=None)


def write(name: str, text: str) -> None:
    path, call = Path.cwd() / name, f"toolu_{uuid.uuid4().hex}"
    given = {"file_path": str(path), "content": f"{text}\n"}
    speak({"type": "tool_use", "id": call, "name": "Write", "input": given})
    number = str(uuid.uuid4())
    question = {"subtype": "can_use_tool", "tool_name": "Write", "tool_use_id": call}
    send(type="control_request", request_id=number, request={**question, "input": given})
    while True:
        message = hear()
        if message["type"] == "control_response":
            break
        if message["type"] == "control_request":
            acknowledge(message)
    allowed = message["response"]["response"]["behavior"] == "allow"
    if allowed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(given["content"])
    result = {"type": "tool_result", "tool_use_id": call, "is_error": not allowed}
    output = {**result, "content": "Written." if allowed else "Not allowed."}
    send(type="user", message={"role": "user", "content": [output]}, parent_tool_use_id=None)


def main() -> None:
    session = str(uuid.uuid4())
    message = hear()
    while message["type"] != "user":
        acknowledge(message)
        message = hear()
    send(type="system", subtype="init", cwd=os.getcwd(), session_id=session, model="fake")
    content = message["message"]["content"]
    prompt = content if isinstance(content, str) else "".join(part["text"] for part in content)
    for line in prompt.splitlines():
        command, _, rest = line.partition(" ")
        if command == "write":
            name, _, text = rest.partition(" ")
            write(name, text)
        elif command == "wait":
            while True:
                hear()
    speak({"type": "text", "text": "It is done."})
    end = {"is_error": False, "num_turns": 1, "result": "It is done.", "session_id": session}
    send(type="result", subtype="success", **end)
    hear()


if __name__ == "__main__":
    main()
