"""A scripted program that takes the Cursor agent's arguments and prints its stream-json.

Each line of the prompt is one thing to do: `write FILE TEXT`, `run COMMAND`, `say TEXT`, `recall`
(what was asked in this chat before), `fail TEXT`, `wait` (until it is interrupted). Chats are kept
in $FAKE_STATE; an unknown one is replaced by another without a word, as the Cursor agent does.
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

CHATS = Path(os.environ["FAKE_STATE"])


class Chat:
    """One chat, on disk and on standard output."""

    def __init__(self, known: str | None) -> None:
        found = known is not None and (CHATS / f"{known}.json").exists()
        self.id = known if known and found else str(uuid.uuid4())
        self.file = CHATS / f"{self.id}.json"
        self.prompts: list[str] = json.loads(self.file.read_text()) if found else []
        self.printed: list[str] = []
        self.time = 1_700_000_000_000

    def emit(self, **message: Any) -> None:
        print(json.dumps({**message, "session_id": self.id}), flush=True)

    def text(self, text: str, **more: Any) -> None:
        message = {"role": "assistant", "content": [{"type": "text", "text": text}]}
        self.emit(type="assistant", message=message, **more)

    def speak(self, text: str) -> None:
        """In two pieces, and once more as a whole."""
        half = len(text) // 2
        for piece in (text[:half], text[half:]):
            self.time += 1
            if piece:
                self.text(piece, timestamp_ms=self.time)
        self.printed.append(text)

    def use(self, name: str, args: dict[str, Any], result: dict[str, Any]) -> None:
        if self.printed:
            self.text(self.printed[-1], model_call_id="call-1", timestamp_ms=self.time)
        call = f"tool_{uuid.uuid4()}\nfc_1"
        started = {f"{name}ToolCall": {"args": args}}
        self.emit(type="tool_call", subtype="started", call_id=call, tool_call=started)
        ended = {f"{name}ToolCall": {"args": args, "result": result}}
        self.emit(type="tool_call", subtype="completed", call_id=call, tool_call=ended)


def work(chat: Chat, order: str, force: bool) -> None:
    verb, _, rest = order.partition(" ")
    if verb == "write":
        name, _, text = rest.partition(" ")
        path = Path.cwd() / name
        path.write_text(text + "\n")
        args = {"path": str(path), "streamContent": text + "\n"}
        chat.use(
            "edit", args, {"success": {"path": str(path), "afterFullFileContent": text + "\n"}}
        )
    elif verb == "run" and not force:
        chat.use("shell", {"command": rest}, {"rejected": {"command": rest, "reason": "No."}})
    elif verb == "run":
        done = subprocess.run(rest, shell=True, capture_output=True, text=True, check=False)
        body = {"stdout": done.stdout, "stderr": done.stderr, "exitCode": done.returncode}
        outcome = "failure" if done.returncode else "success"
        chat.use("shell", {"command": rest}, {outcome: {"command": rest, **body}})
    elif verb == "recall":
        chat.speak("; ".join(chat.prompts[:-1]) or "Nothing.")
    elif verb == "fail":
        print(f"Error: {rest}", file=sys.stderr)
        sys.exit(1)
    elif verb == "wait":
        chat.speak("I wait.")
        signal.pause()
    else:
        chat.speak(rest or order)


def main() -> None:
    arguments = sys.argv[1:]
    if arguments == ["login"]:
        (CHATS / "logged-in").touch()
        print("Logged in.")
        return
    assert arguments[:3] == ["-p", "--output-format", "stream-json"]
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    # It works when its input has ended, not before.
    prompt = sys.stdin.read().rstrip("\n")
    if os.environ.get("NEEDS_LOGIN") and not (CHATS / "logged-in").exists():
        sys.exit("Error: Authentication required. Please run 'agent login' first.")
    old = arguments[arguments.index("--resume") + 1] if "--resume" in arguments else None
    chat = Chat(old)
    chat.prompts.append(prompt)
    chat.file.write_text(json.dumps(chat.prompts))
    start = {"type": "system", "subtype": "init", "apiKeySource": "login", "model": "Auto"}
    chat.emit(**start, cwd=str(Path.cwd()), permissionMode="default")
    asked = {"role": "user", "content": [{"type": "text", "text": prompt}]}
    chat.emit(type="user", message=asked)
    chat.emit(type="thinking", subtype="delta", text="Let me ", timestamp_ms=chat.time)
    chat.emit(type="thinking", subtype="delta", text="see.", timestamp_ms=chat.time)
    chat.emit(type="thinking", subtype="completed", timestamp_ms=chat.time)
    for order in prompt.splitlines():
        work(chat, order, "--force" in arguments)
    if chat.printed:
        chat.text("".join(chat.printed))
    used = {"inputTokens": 200, "outputTokens": 20, "cacheReadTokens": 100, "cacheWriteTokens": 0}
    end = {"type": "result", "subtype": "success", "is_error": False, "duration_ms": 1}
    chat.emit(**end, result="".join(chat.printed), usage=used)


if __name__ == "__main__":
    main()
