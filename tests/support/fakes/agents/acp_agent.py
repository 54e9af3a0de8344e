"""A scripted agent that speaks the Agent Client Protocol: the prompt says what it does.

Standard library only; run it by its path. It waits for nothing unless told to. One command a line
of the prompt's last block (what stands before is what it should remember):

    say TEXT            a message
    think TEXT          a thought
    plan A | B | C      a plan of three steps, the first one done
    read FILE           a tool call of kind `read`
    write FILE TEXT     writes the file (relative to the session's directory), with a diff
    run CMD             asks permission, then runs CMD in a shell, in a session of its own; its
                        output and exit code are in the tool call; a cancel kills it
    ask                 asks permission for nothing, and says "allowed" or "denied"
    sleep N             waits N seconds; a cancel ends it
    lines N             N messages' chunks of one line each, as fast as it can
    stderr TEXT         a line on stderr
    raw TEXT            TEXT as a line on stdout, whatever it is
    spawn-daemon FILE   starts a process in a session of its own, with init as its parent, that
                        ignores SIGTERM; its pid is in FILE when the command is over
    fail TEXT           the prompt is answered by an error with TEXT
    refuse              the prompt is answered by the stop reason `refusal`
    exit N              the program ends with N, in the middle of the turn
    silent              nothing more is said until a cancel
    deaf                from now on cancels, SIGTERM and the end of standard input are ignored
    recall              says how many prompts this session has seen before
    settings            says what was set in this session, as JSON
    told                says what stands before the last block of the prompt

Other lines are said. A session is remembered in `$ACP_AGENT_STATE/<id>.json`, if that is set; it is
announced (`loadSession`) only then. `ACP_AGENT_RESUME=1` announces `session/resume` as well,
`ACP_AGENT_RESUME=lie` announces it and does not know it. `ACP_AGENT_LOGIN=1` refuses sessions until
one logs in, which cannot be done; if it is a method, that is refused until `authenticate` is called
with `good`.
`ACP_AGENT_SESSION` is JSON that the answer to `session/new` has besides. `ACP_AGENT_UNKNOWN` names
methods that it does not know, separated by spaces. Values that begin with `no-` are refused.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

STATE = os.environ.get("ACP_AGENT_STATE")
RESUME = os.environ.get("ACP_AGENT_RESUME")
LOGIN = os.environ.get("ACP_AGENT_LOGIN")
SESSION = json.loads(os.environ.get("ACP_AGENT_SESSION", "{}"))
UNKNOWN = os.environ.get("ACP_AGENT_UNKNOWN", "").split()
DEMANDED = {"code": -32000, "message": "Authentication required"}
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
for fd in range(3):
    os.dup2(os.open(os.devnull, os.O_RDWR), fd)
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(600)
"""
OPTIONS = [
    {"optionId": "a", "name": "Allow", "kind": "allow_once"},
    {"optionId": "r", "name": "Reject", "kind": "reject_once"},
]


class CancelledTurn(Exception):
    pass


class FailedTurn(Exception):
    pass


class Agent:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.sessions: dict[str, dict[str, Any]] = {}
        self.answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.cancelled = threading.Event()
        self.asked = 0
        self.calls = 0
        self.deaf = False
        self.logged_in = False
        self.worker: threading.Thread | None = None

    def send(self, **message: Any) -> None:
        self.raw(json.dumps({"jsonrpc": "2.0", **message}))

    def raw(self, text: str) -> None:
        with self.lock:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    # ------------------------------------------------------------ requests

    def serve(self) -> None:
        for line in sys.stdin:
            message = json.loads(line)
            params = message.get("params") or {}
            method = message.get("method")
            if method == "session/cancel":
                if not self.deaf:
                    self.cancelled.set()
                    self.answers.put({})
            elif method is None:
                if message.get("id") == self.asked:
                    self.answers.put(message.get("result") or {})
            elif method == "session/prompt":
                self.cancelled.clear()
                self.answers = queue.SimpleQueue()
                self.worker = threading.Thread(
                    target=self.turn, args=(message["id"], params), daemon=True
                )
                self.worker.start()
            else:
                self.request(message["id"], method, params)
        while self.deaf:
            time.sleep(60)

    def request(self, number: Any, method: str, params: dict[str, Any]) -> None:
        if method == "initialize":
            able: dict[str, Any] = {"loadSession": STATE is not None}
            if RESUME:
                able["sessionCapabilities"] = {"resume": {}}
            info = {"name": "scripted", "title": "Scripted agent", "version": "1"}
            logins = [{"id": "x", "name": "Log in", "description": "Run `scripted login`"}]
            logins += [{"id": "good", "name": "By itself"}] if LOGIN != "1" else []
            result = {
                "protocolVersion": 1,
                "agentInfo": info,
                "agentCapabilities": able,
                "authMethods": logins,
            }
            self.send(id=number, result=result)
        elif method == "authenticate" and params.get("methodId") == "good":
            self.logged_in = True
            self.send(id=number, result={})
        elif LOGIN in ("1", method) and not self.logged_in:
            self.send(id=number, error=DEMANDED)
        elif method in UNKNOWN:
            self.send(id=number, error={"code": -32601, "message": f"no {method}"})
        elif method == "session/new":
            id = str(uuid.uuid4())
            self.sessions[id] = {"cwd": params["cwd"], "prompts": []}
            modes = [{"id": "default", "name": "Default"}, {"id": "plan", "name": "Plan"}]
            offered = {"currentModeId": "default", "availableModes": modes}
            self.send(id=number, result={"sessionId": id, "modes": offered, **SESSION})
        elif method in ("session/set_mode", "session/set_model", "session/set_config_option"):
            self.set(number, method, params)
        elif method == "session/load" or (method == "session/resume" and RESUME == "1"):
            self.load(number, params, replay=method == "session/load")
        else:
            self.send(id=number, error={"code": -32601, "message": f"no {method}"})

    def set(self, number: Any, method: str, params: dict[str, Any]) -> None:
        session = self.sessions[params.pop("sessionId")]
        if any(str(value).startswith("no-") for value in params.values()):
            details = {"details": "Only for those who pay"}
            error = {"code": -32602, "message": "Invalid params", "data": details}
            self.send(id=number, error=error)
        else:
            session.setdefault("settings", []).append([method, params])
            self.send(id=number, result={})

    def load(self, number: Any, params: dict[str, Any], replay: bool) -> None:
        id = params["sessionId"]
        file = Path(STATE or "/nonexistent") / f"{id}.json"
        if not file.exists():
            self.send(id=number, error={"code": -32002, "message": "Resource not found"})
            return
        prompts = json.loads(file.read_text())
        self.sessions[id] = {"cwd": params["cwd"], "prompts": prompts}
        for prompt in prompts if replay else []:
            self.update(id, "user_message_chunk", content={"type": "text", "text": prompt})
            self.update(id, "agent_message_chunk", content={"type": "text", "text": "replayed"})
        self.send(id=number, result={})

    # ------------------------------------------------------------ a turn

    def turn(self, number: Any, params: dict[str, Any]) -> None:
        id = params["sessionId"]
        session = self.sessions[id]
        *before, text = [block.get("text", "") for block in params["prompt"]]
        session["before"] = "\n".join(before)
        if LOGIN == "session/prompt" and not self.logged_in:
            self.send(id=number, error=DEMANDED)
            return
        try:
            reason = "end_turn"
            for line in text.splitlines():
                word, _, rest = line.strip().partition(" ")
                if word == "refuse":
                    reason = "refusal"
                    break
                self.command(id, session, word, rest, line)
        except CancelledTurn:
            reason = "cancelled"
        except FailedTurn as failure:
            details = {"details": str(failure)}
            error = {"code": -32603, "message": "Internal error", "data": details}
            self.send(id=number, error=error)
            return
        session["prompts"].append(text)
        if STATE:
            Path(STATE, f"{id}.json").write_text(json.dumps(session["prompts"]))
        self.send(id=number, result={"stopReason": reason})

    def command(self, id: str, session: dict[str, Any], word: str, rest: str, line: str) -> None:
        cwd = session["cwd"]
        if word == "think":
            self.update(id, "agent_thought_chunk", content={"type": "text", "text": rest})
        elif word == "plan":
            status = ["completed", "in_progress", "pending"]
            steps = [
                {"content": step.strip(), "status": state, "priority": "medium"}
                for step, state in zip(rest.split("|"), status, strict=True)
            ]
            self.update(id, "plan", entries=steps)
        elif word == "read":
            path = str(Path(cwd, rest))
            call = self.tool(id, rest, "read", locations=[{"path": path}])
            text = Path(path).read_text()
            self.done(id, call, content=[wrapped(text)])
        elif word == "write":
            self.write(id, Path(cwd), *rest.split(" ", 1))
        elif word == "run":
            self.run(id, cwd, rest)
        elif word == "ask":
            call = self.tool(id, "a question", "other")
            self.emit(id, "allowed" if self.allowed(id, call, {"why": "asked to"}) else "denied")
        elif word == "sleep":
            if self.cancelled.wait(float(rest)):
                raise CancelledTurn
        elif word == "lines":
            for count in range(int(rest)):
                self.emit(id, f"line {count}\n")
        elif word == "stderr":
            print(rest, file=sys.stderr, flush=True)
        elif word == "raw":
            self.raw(rest)
        elif word == "spawn-daemon":
            target = str(Path(cwd, rest))
            subprocess.run([sys.executable, "-c", STUBBORN, target], check=True)
            while not os.path.exists(target):
                time.sleep(0.005)
        elif word == "fail":
            raise FailedTurn(rest or "as told")
        elif word == "exit":
            os._exit(int(rest or 0))
        elif word == "silent":
            self.cancelled.wait()
            raise CancelledTurn
        elif word == "deaf":
            self.deaf = True
        elif word == "recall":
            self.emit(id, f"{len(session['prompts'])} prompts before")
        elif word == "settings":
            self.emit(id, json.dumps(session.get("settings", [])))
        elif word == "told":
            self.emit(id, session["before"])
        else:
            self.emit(id, rest if word == "say" else line)

    def write(self, id: str, cwd: Path, name: str, text: str = "") -> None:
        path = cwd / name
        old = path.read_text() if path.exists() else None
        new = text + "\n"
        diff = {"type": "diff", "path": str(path), "oldText": old, "newText": new}
        call = self.tool(id, name, "edit", locations=[{"path": str(path)}], content=[diff])
        path.write_text(new)
        self.done(id, call)

    def run(self, id: str, cwd: str, command: str) -> None:
        call = self.tool(id, command, "execute", rawInput={"command": command})
        if not self.allowed(id, call, {"command": command}):
            self.done(id, call, status="failed")
            return
        # Like the real ones: a session of its own, that only a cancel ends.
        program = subprocess.Popen(
            command,
            shell=True,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        while True:
            try:
                output = program.communicate(timeout=0.02)[0]
                break
            except subprocess.TimeoutExpired:
                if self.cancelled.is_set():
                    os.killpg(program.pid, signal.SIGKILL)
                    program.wait()
                    raise CancelledTurn from None
        raw = {"exit_code": program.returncode}
        self.done(id, call, content=[wrapped(output)], rawOutput=raw)

    def allowed(self, id: str, call: str, raw: dict[str, Any]) -> bool:
        self.asked += 1
        tool = {"toolCallId": call, "rawInput": raw}
        params = {"sessionId": id, "toolCall": tool, "options": OPTIONS}
        self.send(id=self.asked, method="session/request_permission", params=params)
        outcome = self.answers.get().get("outcome", {})
        if outcome.get("outcome") != "selected":
            raise CancelledTurn
        return bool(outcome["optionId"] == "a")

    # ------------------------------------------------------------ updates

    def update(self, id: str, update_kind: str, /, **fields: Any) -> None:
        update = {"sessionUpdate": update_kind, **fields}
        self.send(method="session/update", params={"sessionId": id, "update": update})

    def emit(self, id: str, text: str) -> None:
        self.update(id, "agent_message_chunk", content={"type": "text", "text": text})

    def tool(self, id: str, title: str, kind: str, **fields: Any) -> str:
        self.calls += 1
        call = f"call-{os.getpid()}-{self.calls}"
        known = {"toolCallId": call, "title": title, "kind": kind, "status": "in_progress"}
        self.update(id, "tool_call", **known, **fields)
        return call

    def done(self, id: str, call: str, status: str = "completed", **fields: Any) -> None:
        self.update(id, "tool_call_update", toolCallId=call, status=status, **fields)


def wrapped(text: str) -> dict[str, Any]:
    return {"type": "content", "content": {"type": "text", "text": text}}


def main() -> None:
    agent = Agent()

    def terminated(number: int, frame: object) -> None:
        if not agent.deaf:
            os._exit(128 + number)

    signal.signal(signal.SIGTERM, terminated)
    agent.serve()


if __name__ == "__main__":
    main()
