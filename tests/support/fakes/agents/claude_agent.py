"""A scripted program that speaks as Claude Code does: the prompt says what it does.

Standard library only; run it by its path. Each line of a prompt is done in turn:

    say TEXT        a message of the model
    much NUMBER     so many messages of a million characters each
    tool FILE       a tool that waits until FILE is there (relative to the working directory); the
                    messages that came meanwhile are taken up with its result: "heard TEXT" is said
    wait FILE       waits for FILE, but takes nothing up: what came begins a turn of its own
    ask             asks for permission to use a tool, and says "allowed" or "denied"
    hang            nothing more happens until an interrupt or the end of standard input

Other lines are said. Every message that it is told goes to `$CLAUDE_AGENT_STATE/told`, one JSON
list of texts a line; a session is a file there. `--resume` of another one fails as the real one's.
If there is a file `broken`, every run fails at once.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

STATE = Path(os.environ["CLAUDE_AGENT_STATE"])


class Agent:
    def __init__(self, session: str) -> None:
        self.session = session
        self.lock = threading.Lock()
        self.waiting: queue.SimpleQueue[list[str] | None] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.interrupted = threading.Event()
        self.count = 0

    def send(self, **line: Any) -> None:
        with self.lock:
            print(json.dumps({**line, "session_id": self.session}), flush=True)

    def listen(self) -> None:
        for text in sys.stdin:
            line = json.loads(text)
            if line["type"] == "user":
                texts = [block["text"] for block in line["message"]["content"]]
                with (STATE / "told").open("a") as file:
                    file.write(json.dumps(texts) + "\n")
                self.waiting.put(texts)
            elif line["type"] == "control_response":
                self.answers.put(line["response"]["response"])
            else:
                number = line["request_id"]
                done = {"subtype": "success", "request_id": number, "response": {}}
                self.send(type="control_response", response=done)
                if line["request"]["subtype"] == "interrupt":
                    self.interrupted.set()
        self.waiting.put(None)
        self.interrupted.set()
        self.answers.put({"behavior": "deny"})

    def work(self) -> None:
        while (texts := self.waiting.get()) is not None:
            self.send(type="system", subtype="init", cwd=os.getcwd(), model="scripted")
            self.again(texts)
            for line in texts[-1].splitlines():
                self.do(line.strip())
            self.send(type="result", subtype="success", is_error=False, num_turns=1, result="")

    def again(self, texts: list[str]) -> None:
        """Say again what it turns to."""
        content = [{"type": "text", "text": text} for text in texts]
        message = {"role": "user", "content": content}
        self.send(type="user", message=message, isReplay=True)

    def do(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "wait":
            self.wait(rest)
        elif word == "tool":
            call = self.use({"command": f"wait for {rest}"})
            self.wait(rest)
            self.result(call, "it is there")
            while not self.waiting.empty() and (texts := self.waiting.get()) is not None:
                self.again(texts)
                self.emit(f"heard {texts[-1]}")
        elif word == "ask":
            given = {"command": "true"}
            call = self.use(given)
            request = {"subtype": "can_use_tool", "tool_name": "Bash", "input": given}
            request |= {"tool_use_id": call}
            self.send(type="control_request", request_id=f"r-{call}", request=request)
            allowed = self.answers.get()["behavior"] == "allow"
            self.result(call, "done" if allowed else "not allowed", error=not allowed)
            self.emit("allowed" if allowed else "denied")
        elif word == "much":
            for number in range(int(rest)):
                self.emit(f"{number} " + "x" * 1_000_000)
        elif word == "hang":
            self.interrupted.wait()
            self.send(type="result", subtype="error_during_execution", is_error=True)
            os._exit(0)
        else:
            self.emit(rest if word == "say" else line)

    def wait(self, name: str) -> None:
        while not Path(name).exists():
            time.sleep(0.01)

    def emit(self, text: str) -> None:
        self.assistant({"type": "text", "text": text})

    def use(self, given: dict[str, Any]) -> str:
        call = f"call-{os.getpid()}-{self.count}"
        self.assistant({"type": "tool_use", "id": call, "name": "Bash", "input": given})
        return call

    def result(self, call: str, text: str, error: bool = False) -> None:
        block = {"type": "tool_result", "tool_use_id": call, "content": text, "is_error": error}
        self.send(type="user", message={"role": "user", "content": [block]})

    def assistant(self, block: dict[str, Any]) -> None:
        self.count += 1
        message = {"id": f"msg-{self.count}", "role": "assistant", "content": [block]}
        self.send(type="assistant", message=message)


def main() -> int:
    former = sys.argv[sys.argv.index("--resume") + 1] if "--resume" in sys.argv else None
    if former is not None and not (STATE / former).exists():
        complaint = f"No conversation found with session ID: {former}"
        failed = {"type": "result", "subtype": "error_during_execution", "is_error": True}
        failed |= {"num_turns": 0, "errors": [complaint], "session_id": former}
        print(json.dumps(failed), flush=True)
        print(complaint, file=sys.stderr)
        return 1
    if (STATE / "broken").exists():
        complaint = "Something else is wrong"
        failed = {"type": "result", "subtype": "error_during_execution", "is_error": True}
        print(json.dumps({**failed, "errors": [complaint]}), flush=True)
        return 1
    agent = Agent(str(uuid.uuid4()))
    (STATE / agent.session).touch()
    threading.Thread(target=agent.listen, daemon=True).start()
    agent.work()
    return 0


if __name__ == "__main__":
    sys.exit(main())
