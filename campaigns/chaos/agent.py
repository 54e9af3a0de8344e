"""A scripted agent that writes down, outside of all that Anyon knows, what it hears and does.

Standard library only; run it by its path. As it is it speaks as Claude Code does and can be
steered; with `--acp` it speaks the Agent Client Protocol. A prompt has a line `chaos {...}`:

    {"token": "t7", "steps": [["say", 5, 0.1], ["write", "a.txt"], ["commit"], ["ask"]]}

`say N S` says N numbered lines `<t7:1>` within S seconds; there is `sleep S`, too. What it has
done is a line of JSON in `$CHAOS_LEDGER` each, appended after the deed (`received` and `asked`
before anything follows).
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

LEDGER = os.open(os.environ["CHAOS_LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
STATE = Path(os.environ["CHAOS_STATE"])
EXECUTION = os.environ.get("ANYON_EXECUTION", "")
OPTIONS = [
    {"optionId": "a", "name": "Allow", "kind": "allow_once"},
    {"optionId": "r", "name": "Reject", "kind": "reject_once"},
]


def note(kind: str, token: str, **more: Any) -> None:
    line = {"kind": kind, "token": token, "execution": EXECUTION, "pid": os.getpid()}
    os.write(LEDGER, json.dumps({**line, "at": time.time(), **more}).encode() + b"\n")


def orders(text: str) -> dict[str, Any] | None:
    """Return the order of a prompt; the last such line of it."""
    for line in reversed(text.splitlines()):
        if line.startswith("chaos {"):
            found: dict[str, Any] = json.loads(line.removeprefix("chaos "))
            return found
    return None


def receive(texts: list[str]) -> dict[str, Any] | None:
    """Note what a message says: its orders, and the prompts that it is told of before."""
    for token in re.findall(r'chaos \{"token": "(t\w+)"', "\n".join(texts[:-1])):
        note("retold", token)
    order = orders(texts[-1])
    note("received", order["token"] if order else "")
    return order


class Interrupted(Exception):
    pass


class Agent:
    """The deeds of an agent; subclasses have the protocols."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.interrupted = threading.Event()
        self.answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self.calls = 0

    def write_text(self, text: str) -> None:
        raise NotImplementedError

    def ask(self, call: str) -> None:
        raise NotImplementedError

    def between(self) -> None:
        """Between two steps: time to take up what came meanwhile."""

    def line(self, message: dict[str, Any]) -> None:
        with self.lock:
            sys.stdout.write(json.dumps(message) + "\n")
            sys.stdout.flush()

    def perform(self, order: dict[str, Any] | None) -> None:
        if order is None:
            self.write_text("nothing to do")
            return
        token, count = order["token"], 0
        for word, *rest in order["steps"]:
            self.between()
            if word == "say":
                for _ in range(rest[0]):
                    self.pause(rest[1] / rest[0])
                    count += 1
                    self.write_text(f"<{token}:{count}>\n")
                    note("said", token, n=count)
            elif word == "sleep":
                self.pause(rest[0])
            elif word == "write":
                self.write(token, rest[0])
            elif word == "commit":
                self.commit(token)
            elif word == "ask":
                self.calls += 1
                call = f"{token}-{os.getpid()}-{self.calls}"
                note("asked", token, call=call)
                self.ask(call)
                allowed = self.answers.get()
                if self.interrupted.is_set():
                    raise Interrupted
                note("heard", token, call=call, allowed=allowed)
        note("done", token)

    def pause(self, seconds: float) -> None:
        if self.interrupted.wait(seconds):
            raise Interrupted

    def write(self, token: str, name: str) -> None:
        data = f"{token} {name}\n".encode()
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        note("written", token, path=name, blob=blob, worktree=os.getcwd())

    def commit(self, token: str) -> None:
        for words in (["add", "-A"], ["commit", "-q", "--allow-empty", "-m", f"By agent {token}"]):
            if subprocess.run(["git", *words], check=False, stdout=2).returncode:
                return
        head = subprocess.run(["git", "rev-parse", "HEAD"], check=False, stdout=-1, text=True)
        if head.returncode == 0:
            note("committed", token, commit=head.stdout.strip())


class Acp(Agent):
    """One that speaks the Agent Client Protocol."""

    def __init__(self) -> None:
        super().__init__()
        self.session = ""
        self.asked = 0

    def serve(self) -> None:
        for text in sys.stdin:
            message = json.loads(text)
            params, method = message.get("params") or {}, message.get("method")
            if method == "session/cancel":
                self.interrupted.set()
                self.answers.put(False)
            elif method is None:
                outcome = (message.get("result") or {}).get("outcome", {})
                self.answers.put(outcome.get("optionId") == "a")
            elif method == "session/prompt":
                order = receive([block["text"] for block in params["prompt"]])
                threading.Thread(target=self.turn, args=(message["id"], order), daemon=True).start()
            else:
                self.answer(message["id"], method, params)

    def answer(self, number: Any, method: str, params: dict[str, Any]) -> None:
        result: dict[str, Any] = {}
        if method == "initialize":
            result = {"protocolVersion": 1, "agentCapabilities": {"loadSession": True}}
        elif method == "session/new":
            self.session = str(uuid.uuid4())
            (STATE / self.session).touch()
            result = {"sessionId": self.session}
        elif method == "session/load":
            self.session = params["sessionId"]
            if not (STATE / self.session).exists():
                error = {"code": -32002, "message": "Resource not found"}
                self.line({"jsonrpc": "2.0", "id": number, "error": error})
                return
        elif method != "session/set_mode":
            error = {"code": -32601, "message": f"no {method}"}
            self.line({"jsonrpc": "2.0", "id": number, "error": error})
            return
        self.line({"jsonrpc": "2.0", "id": number, "result": result})

    def turn(self, number: Any, order: dict[str, Any] | None) -> None:
        self.interrupted.clear()
        reason = "end_turn"
        try:
            self.perform(order)
        except Interrupted:
            reason = "cancelled"
        self.line({"jsonrpc": "2.0", "id": number, "result": {"stopReason": reason}})

    def write_text(self, text: str) -> None:
        content = {"type": "text", "text": text}
        self.update({"sessionUpdate": "agent_message_chunk", "content": content})

    def update(self, update: dict[str, Any]) -> None:
        params = {"sessionId": self.session, "update": update}
        self.line({"jsonrpc": "2.0", "method": "session/update", "params": params})

    def ask(self, call: str) -> None:
        tool = {"toolCallId": call, "title": call, "kind": "other", "status": "pending"}
        self.update({"sessionUpdate": "tool_call", **tool})
        self.asked += 1
        given = {"toolCallId": call, "rawInput": {"call": call}}
        params = {"sessionId": self.session, "toolCall": given, "options": OPTIONS}
        request = {"id": self.asked, "method": "session/request_permission", "params": params}
        self.line({"jsonrpc": "2.0", **request})


class Claude(Agent):
    """One that speaks as Claude Code does, and takes up messages in the middle of its turn."""

    def __init__(self, session: str) -> None:
        super().__init__()
        self.session = session
        self.waiting: queue.SimpleQueue[list[str] | None] = queue.SimpleQueue()
        self.count = 0
        (STATE / session).touch()

    def send(self, **message: Any) -> None:
        self.line({**message, "session_id": self.session})

    def serve(self) -> None:
        threading.Thread(target=self.work, daemon=True).start()
        for text in sys.stdin:
            line = json.loads(text)
            if line["type"] == "user":
                texts = [block["text"] for block in line["message"]["content"]]
                receive(texts)
                self.waiting.put(texts)
            elif line["type"] == "control_response":
                self.answers.put(line["response"]["response"].get("behavior") == "allow")
            else:
                done = {"subtype": "success", "request_id": line["request_id"], "response": {}}
                self.send(type="control_response", response=done)
                if line["request"]["subtype"] == "interrupt":
                    self.interrupted.set()
                    self.answers.put(False)
        self.waiting.put(None)
        while True:
            time.sleep(60)

    def work(self) -> None:
        try:
            while (texts := self.waiting.get()) is not None:
                self.send(type="system", subtype="init", cwd=os.getcwd(), model="scripted")
                self.take(texts)
                self.send(type="result", subtype="success", is_error=False, num_turns=1, result="")
        except Interrupted:
            self.send(type="result", subtype="error_during_execution", is_error=True)
        os._exit(0)

    def take(self, texts: list[str]) -> None:
        content = [{"type": "text", "text": text} for text in texts]
        self.send(type="user", message={"role": "user", "content": content}, isReplay=True)
        order = orders(texts[-1])
        note("taken", order["token"] if order else "")
        self.perform(order)

    def between(self) -> None:
        while not self.waiting.empty():
            texts = self.waiting.get()
            if texts is None:
                self.waiting.put(None)
                return
            self.take(texts)

    def assistant(self, block: dict[str, Any]) -> None:
        self.count += 1
        message = {"id": f"msg-{os.getpid()}-{self.count}", "role": "assistant", "content": [block]}
        self.send(type="assistant", message=message)

    def write_text(self, text: str) -> None:
        self.assistant({"type": "text", "text": text})

    def ask(self, call: str) -> None:
        given = {"command": "true", "call": call}
        self.assistant({"type": "tool_use", "id": call, "name": "Bash", "input": given})
        request = {"subtype": "can_use_tool", "tool_name": "Bash", "input": given}
        request["tool_use_id"] = call
        self.send(type="control_request", request_id=f"r-{call}", request=request)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
    note("begun", "")
    if "--acp" in sys.argv:
        Acp().serve()
        return 0
    former = sys.argv[sys.argv.index("--resume") + 1] if "--resume" in sys.argv else None
    if former is not None and not (STATE / former).exists():
        complaint = f"No conversation found with session ID: {former}"
        failed = {"type": "result", "subtype": "error_during_execution", "is_error": True}
        print(json.dumps({**failed, "num_turns": 0, "errors": [complaint]}), flush=True)
        print(complaint, file=sys.stderr)
        return 1
    Claude(str(uuid.uuid4())).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
