"""The demonstration agent: small and honest, over the Agent Client Protocol.

It thinks nothing, but all that it does is real: it reads a file, writes NOTES.md, asks before it
runs a command, runs it, and reports. Standard library only; started by its path.

Environment:
    ANYON_DEMO_STATE: where sessions are kept (default: `anyon-demo` in the user's state directory,
        or among the temporary files of a user without a home).
    ANYON_DEMO_PACE: factor on all pauses; 0 for none. They only let a person see it live.
"""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACE = float(os.environ.get("ANYON_DEMO_PACE") or 1)
NOTES = "NOTES.md"
READABLE = 64 * 1024


class Cancelled(Exception):
    """The client wants the turn to end."""


class Wire:
    """One JSON-RPC message a line on standard output, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def send(self, **message: Any) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
        with self._lock:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def number(self) -> int:
        """An id for a request of ours."""
        self._last += 1
        return self._last


class Session:
    """The memory of a session: the prompts, and all that was shown for them."""

    def __init__(self, id: str, cwd: str) -> None:
        self.id = id
        self.cwd = cwd
        self.prompts: list[str] = []
        self.updates: list[dict[str, Any]] = []

    @staticmethod
    def _file(id: str) -> Path:
        return _state() / f"{id}.json"

    @classmethod
    def load(cls, id: str, cwd: str) -> Session | None:
        """The stored session, or None if there is none of that id."""
        if not re.fullmatch(r"[0-9a-f-]{36}", id) or not cls._file(id).exists():
            return None
        stored = json.loads(cls._file(id).read_text(encoding="utf-8"))
        session = cls(id, cwd)
        session.prompts = stored["prompts"]
        session.updates = stored["updates"]
        return session

    def save(self) -> None:
        file = self._file(self.id)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_suffix(".new")
        stored = {"cwd": self.cwd, "prompts": self.prompts, "updates": self.updates}
        draft.write_text(json.dumps(stored), encoding="utf-8")
        draft.replace(file)


def _state() -> Path:
    """The directory of all sessions. Who has no home keeps them among the temporary files."""
    chosen = os.environ.get("ANYON_DEMO_STATE")
    if chosen:
        return Path(chosen)
    try:
        base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        folder = Path(base) / "anyon-demo"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder
    except (OSError, RuntimeError):  # users of services and containers may have none
        folder = Path(tempfile.gettempdir()) / f"anyon-demo-state-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid != os.getuid():
        raise PermissionError(f"{folder} is somebody else's.")
    return folder


class Turn(threading.Thread):
    """One prompt, worked on beside the reading of standard input."""

    def __init__(self, wire: Wire, session: Session, request: Any, prompt: str) -> None:
        super().__init__(daemon=True)
        self._wire = wire
        self._session = session
        self._request = request
        self._prompt = prompt
        self._cwd = Path(session.cwd)
        self._cancelled = threading.Event()
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._question: int | None = None
        self._calls = 0
        self.over = False

    def cancel(self) -> None:
        self._cancelled.set()
        self._answers.put(None)

    def answer(self, message: dict[str, Any]) -> None:
        if message.get("id") == self._question:
            self._answers.put(message)

    def run(self) -> None:
        self._session.prompts.append(self._prompt)
        block = {"type": "text", "text": self._prompt}
        self._session.updates.append({"sessionUpdate": "user_message_chunk", "content": block})
        try:
            try:
                self._work()
                ending: dict[str, Any] = {"result": {"stopReason": "end_turn"}}
            except Cancelled:
                ending = {"result": {"stopReason": "cancelled"}}
            self._session.save()
        except (OSError, ValueError) as error:
            details = {"details": str(error)}
            ending = {"error": {"code": -32603, "message": "Internal error", "data": details}}
        self.over = True
        self._wire.send(id=self._request, **ending)

    # ------------------------------------------------------------ what it does

    def _work(self) -> None:
        turn = len(self._session.prompts)
        self._plan(0)
        self._send_chunk(
            "agent_thought_chunk", "First I look at what is here, then I write it down."
        )
        self._pause(0.2)
        self._read()
        self._plan(1)
        title = _title(self._prompt)
        self._send_chunk("agent_message_chunk", f"I will note your request in `{NOTES}`.")
        self._write(title)
        self._plan(2)
        ran = self._check()
        self._plan(3)
        before = [f"- {_title(prompt)}" for prompt in self._session.prompts[:-1]]
        memory = "\n".join([f"\nThis is turn {turn} of our session. Before, you said:", *before])
        report = f"## Done\n\n- wrote **{title}** into `{NOTES}`\n- {ran}\n"
        self._send_chunk("agent_message_chunk", report + (memory if before else ""))

    def _read(self) -> None:
        name = next(self._texts(), None)
        if name is None:
            self._send_chunk("agent_message_chunk", "There is no text file here yet. ")
            return
        path = self._cwd / name
        call = self._tool(f"Read {name}", "read", path, rawInput={"path": str(path)})
        self._pause(0.2)
        text = path.read_text(encoding="utf-8", errors="replace")
        self._tool_done(call, content=[_text(text)])
        lines = text.count("\n")
        self._send_chunk("agent_message_chunk", f"`{name}` has {lines} lines. ")

    def _texts(self) -> Iterator[str]:
        names = sorted(entry.name for entry in self._cwd.iterdir())
        for name in sorted(names, key=lambda name: name != "README.md"):
            path = self._cwd / name
            readable = path.suffix in (".md", ".txt", ".rst", ".py", ".toml")
            if readable and path.is_file() and path.stat().st_size <= READABLE:
                yield name

    def _write(self, title: str) -> None:
        path = self._cwd / NOTES
        if path.is_symlink():
            # It may point out of the working directory.
            raise PermissionError(f"{NOTES} is a symbolic link; the demo does not follow it")
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        quoted = "".join(f"> {line}\n" for line in self._prompt.strip().splitlines())
        new = f"{old or '# Notes' + chr(10)}\n## {title}\n\n{quoted}"
        diff = {"type": "diff", "path": str(path), "oldText": old or None, "newText": new}
        call = self._tool(f"Write {NOTES}", "edit", path, content=[diff])
        self._pause(0.2)
        path.write_text(new, encoding="utf-8")
        self._tool_done(call, content=[diff])

    def _check(self) -> str:
        in_git = (self._cwd / ".git").exists()
        argv = ["git", "status", "--short"] if in_git else ["wc", "-l", NOTES]
        command = " ".join(argv)
        call = self._tool(f"`{command}`", "execute", rawInput={"command": command})
        if not self._allowed(call, command):
            self._update(sessionUpdate="tool_call_update", toolCallId=call, status="failed")
            return f"`{command}` was denied, so I did not run it"
        program = subprocess.Popen(
            argv,
            cwd=self._cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        while True:
            try:
                output = program.communicate(timeout=0.05)[0].decode(errors="replace")
                break
            except subprocess.TimeoutExpired:
                if self._cancelled.is_set():
                    program.kill()
                    program.wait()
                    raise Cancelled from None
        raw = {"exit_code": program.returncode}
        self._tool_done(call, content=[_text(output)], rawOutput=raw)
        return f"`{command}` ended with {program.returncode}"

    def _allowed(self, call: str, command: str) -> bool:
        options = [
            {"optionId": "yes", "name": "Run it", "kind": "allow_once"},
            {"optionId": "no", "name": "Do not", "kind": "reject_once"},
        ]
        tool = {"toolCallId": call, "title": f"`{command}`", "rawInput": {"command": command}}
        params = {"sessionId": self._session.id, "toolCall": tool, "options": options}
        self._question = self._wire.number()
        self._wire.send(id=self._question, method="session/request_permission", params=params)
        answer = self._answers.get()
        outcome = answer.get("result", {}).get("outcome", {}) if answer else {}
        if outcome.get("outcome") != "selected":
            raise Cancelled
        return bool(outcome.get("optionId") == "yes")

    # ------------------------------------------------------------ how it tells

    def _pause(self, seconds: float) -> None:
        if self._cancelled.wait(seconds * PACE):
            raise Cancelled

    def _update(self, **update: Any) -> None:
        self._session.updates.append(update)
        self._wire.send(
            method="session/update", params={"sessionId": self._session.id, "update": update}
        )

    def _send_chunk(self, kind: str, text: str) -> None:
        for word in re.findall(r"\s*\S+|\s+$", text):
            self._pause(0.015)
            self._update(sessionUpdate=kind, content={"type": "text", "text": word})

    def _plan(self, done: int) -> None:
        steps = ("Look around", f"Write {NOTES}", "Check the result")
        status = ["completed"] * done + ["in_progress"] + ["pending"] * len(steps)
        entries = [
            {"content": step, "status": state, "priority": "medium"}
            for step, state in zip(steps, status, strict=False)
        ]
        self._update(sessionUpdate="plan", entries=entries)
        self._pause(0.1)

    def _tool(self, title: str, kind: str, path: Path | None = None, **more: Any) -> str:
        self._calls += 1
        call = f"demo-{len(self._session.prompts)}-{self._calls}"
        locations = [{"path": str(path)}] if path is not None else []
        known = {"toolCallId": call, "title": title, "kind": kind, "locations": locations}
        self._update(sessionUpdate="tool_call", status="in_progress", **known, **more)
        return call

    def _tool_done(self, call: str, **more: Any) -> None:
        self._update(sessionUpdate="tool_call_update", toolCallId=call, status="completed", **more)


def _title(prompt: str) -> str:
    """The first line of a prompt, cut visibly if it is long."""
    line = (prompt.strip().splitlines() or ["(an empty prompt)"])[0]
    return line if len(line) <= 60 else line[:59].rstrip() + "…"


def _text(text: str) -> dict[str, Any]:
    return {"type": "content", "content": {"type": "text", "text": text}}


class Agent:
    """The answers to the client."""

    def __init__(self) -> None:
        self._wire = Wire()
        self._sessions: dict[str, Session] = {}
        self._turn: Turn | None = None

    def serve(self) -> None:
        """Read messages until the end of standard input, then stop working."""
        for line in sys.stdin.buffer:
            if line.strip():
                self._handle(json.loads(line))
        if self._turn is not None:
            self._turn.cancel()
            self._turn.join(2)

    def _handle(self, message: dict[str, Any]) -> None:
        params = message.get("params") or {}
        number = message.get("id")
        match message.get("method"):
            case "initialize":
                info = {"name": "anyon-demo", "title": "Anyon demo", "version": "1"}
                able = {"loadSession": True}
                result = {"protocolVersion": 1, "agentInfo": info, "agentCapabilities": able}
                self._wire.send(id=number, result=result)
            case "session/new":
                session = Session(str(uuid.uuid4()), params["cwd"])
                self._sessions[session.id] = session
                self._wire.send(id=number, result={"sessionId": session.id})
            case "session/load":
                self._load(number, params)
            case "session/prompt":
                self._prompt(number, params)
            case "session/cancel":
                if self._turn is not None:
                    self._turn.cancel()
            case None:
                if self._turn is not None:
                    self._turn.answer(message)
            case method if number is not None:
                self._refuse(number, -32601, f"There is no method {method}")

    def _load(self, number: Any, params: dict[str, Any]) -> None:
        session = Session.load(params["sessionId"], params["cwd"])
        if session is None:
            self._refuse(number, -32002, f"There is no session {params['sessionId']}")
            return
        self._sessions[session.id] = session
        for update in session.updates:
            update_params = {"sessionId": session.id, "update": update}
            self._wire.send(method="session/update", params=update_params)
        self._wire.send(id=number, result={})

    def _prompt(self, number: Any, params: dict[str, Any]) -> None:
        session = self._sessions.get(params["sessionId"])
        if session is None:
            self._refuse(number, -32602, f"There is no session {params['sessionId']}")
        elif self._turn is not None and not self._turn.over:
            self._refuse(number, -32600, "The demo does one thing at a time")
        else:
            # What stands before the last block is what it should remember, and not what to do.
            text = params["prompt"][-1].get("text", "") if params["prompt"] else ""
            self._turn = Turn(self._wire, session, number, text)
            self._turn.start()

    def _refuse(self, number: Any, code: int, message: str) -> None:
        self._wire.send(id=number, error={"code": code, "message": message})


if __name__ == "__main__":
    try:
        Agent().serve()
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(1)
