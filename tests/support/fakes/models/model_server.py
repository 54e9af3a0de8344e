"""A scripted model for Claude Code: what it answers is chosen by words in the prompt.

Run it as a program: `python -m tests.support.fakes.models.model_server --port 0` prints
`listening <port>` and serves
`POST …/v1/messages` on loopback. The prompt says `SCN=<name> CWD=<worktree>`; the newest prompt
that does so counts, and the number of tool results after it says how far the script has come. So
the server remembers nothing, but for how often `err<status>x<n>` has failed already. Without `CWD=`
the worktree is where the agent says that it works.

Scenarios:
    text        thinks and says hello
    basic       writes hello.txt, runs a command that writes ran.txt, reports
    fail        runs a command that exits with 3
    edit        reads README.md and changes "line one" in it
    search      greps
    todo        makes two tasks and finishes the first
    task        starts a sub-agent, which plays `sub`
    sub         says something and runs a command
    plan        presents a plan, then writes hello.txt
    replan      presents a plan, then another one, then writes hello.txt
    ask         asks which color
    two         two commands at once
    sleepcmd    runs a command of 20 s
    linger      runs a command of five minutes, which writes the pids of its two children to `pids`
    once        runs a command that adds a line to ran.txt
    slow        says 200 words, twenty a second
    gate        says a text; before its second and third part it waits for the files <gate>-1 and
                <gate>-2, where the prompt says `GATE=<gate>`
    recall      tells the earlier prompts of the conversation
    badtool     uses a tool that does not exist
    midfail[x<n>]       breaks the connection in the middle of a text, n times or always
    noend[x<n>]         ends the stream in the middle of a text, as if nothing were missing
    toolfail[x<n>]      breaks it in the middle of a tool call, which would write hello.txt
    err<status>[x<n>]   answers with that status, n times (then recovers) or always
    late<one of these>  plays `once` first, and then goes wrong
"""

from __future__ import annotations

import argparse
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Think:
    text: str


@dataclass(frozen=True)
class Reply:
    """Some text; `pause` seconds after each word."""

    text: str
    pause: float = 0


@dataclass(frozen=True)
class Gated:
    """Some text; each part but the first waits for the file of its number, from 1."""

    parts: tuple[str, ...]
    gate: str = "{gate}"


@dataclass(frozen=True)
class Use:
    """A tool; `{cwd}` in its input is the worktree. `torn`: the connection breaks within it."""

    tool: str
    given: Json = field(default_factory=dict)
    torn: bool = False


@dataclass(frozen=True)
class Cut:
    """The connection breaks; or the answer ends in all peace, but too early."""

    peaceful: bool = False


Block = Think | Reply | Gated | Use | Cut


def bash(command: str) -> Use:
    return Use("Bash", {"command": command, "description": "Run a command"})


def write(content: str) -> Use:
    return Use("Write", {"file_path": "{cwd}/hello.txt", "content": content})


def plan(text: str) -> Use:
    """The plan is in the file that the agent names; `PRESENTED` presents it."""
    return Use("Write", {"file_path": "{plan}", "content": text})


PRESENTED: list[Block] = [Use("ExitPlanMode")]


def task(subject: str) -> Use:
    return Use("TaskCreate", {"subject": subject, "description": f"{subject}, please"})


WAITING = "seq 300 | while read i; do sleep 1; done"
"""Five minutes: some agents refuse a command that sleeps for long."""

THINKING = Think("I should write the file first, then run a command to check it.")
HELLO: list[Block] = [THINKING, Reply("Hello from the scripted model. All good.")]
COLORS = [
    {"label": "Red", "description": "as a rose"},
    {"label": "Blue", "description": "as the sky"},
]
SCRIPTS: dict[str, list[list[Block]]] = {
    "text": [HELLO],
    "basic": [
        [THINKING, Reply("I'll write the file first."), write("hello from agent\nsecond line\n")],
        [
            Reply("Now I'll run a command."),
            bash("cat hello.txt && echo done > ran.txt && wc -l hello.txt"),
        ],
        [Reply("All done: wrote hello.txt and checked it.")],
    ],
    "fail": [[bash("echo oops >&2; exit 3")], [Reply("The command failed with 3.")]],
    "edit": [
        [Use("Read", {"file_path": "{cwd}/README.md"})],
        [
            Use(
                "Edit",
                {
                    "file_path": "{cwd}/README.md",
                    "old_string": "line one",
                    "new_string": "line ONE",
                },
            )
        ],
        [Reply("Edited README.")],
    ],
    "search": [[bash("grep -rn line .")], [Reply("Found it.")]],
    "todo": [
        [task("Write file")],
        [task("Run it")],
        [Use("TaskUpdate", {"taskId": "1", "status": "completed"})],
        [Reply("Todo list written.")],
    ],
    "task": [
        [
            Use(
                "Agent",
                {
                    "description": "sub job",
                    "prompt": "SCN=sub CWD={cwd} do the sub job",
                    "subagent_type": "general-purpose",
                    "run_in_background": False,
                },
            )
        ],
        [Reply("Sub job finished.")],
    ],
    "sub": [
        [Reply("Sub-agent at work."), bash("echo from-sub")],
        [Reply("Sub-agent's result.")],
    ],
    "plan": [
        [Reply("Here is my plan."), plan("# Plan\n1. write hello.txt\n2. check it\n")],
        PRESENTED,
        [Reply("Starting."), write("planned\n")],
        [Reply("Now a command."), bash("cat hello.txt > ran.txt")],
        [Reply("Plan carried out.")],
    ],
    "replan": [
        [Reply("Here is my plan."), plan("# Plan\n1. write hello.txt\n")],
        PRESENTED,
        [Reply("Here is a better one."), plan("# Plan\n1. write hello.txt\n2. check it\n")],
        PRESENTED,
        [Reply("Starting."), write("planned\n")],
        [Reply("Now a command."), bash("sh -c 'cat hello.txt > ran.txt'")],
        [Reply("Plan carried out.")],
    ],
    "ask": [
        [
            Use(
                "AskUserQuestion",
                {
                    "questions": [
                        {
                            "question": "Which color?",
                            "header": "Color",
                            "multiSelect": False,
                            "options": COLORS,
                        }
                    ]
                },
            )
        ],
        [Reply("Thanks for the answer.")],
    ],
    "two": [
        [Reply("Two at once."), bash("echo one"), bash("echo two > two.txt")],
        [Reply("Both done.")],
    ],
    "sleepcmd": [
        [Reply("Running a long command."), bash("for i in $(seq 20); do sleep 1; done; echo woke")],
        [Reply("It woke.")],
    ],
    "linger": [
        [
            Reply("Running a very long command."),
            bash(f"({WAITING}) & echo $! > pids; (({WAITING}) & echo $! >> pids); wait"),
        ],
        [Reply("It came to an end.")],
    ],
    "once": [[bash("echo ran >> ran.txt")], [Reply("Ran it.")]],
    "gate": [[Gated(("The first part, ", "the second part, ", "the third part."))]],
    "slow": [[THINKING, Reply(" ".join(f"word{n}" for n in range(200)), pause=0.05)]],
    "badtool": [[Use("NoSuchTool", {"x": 1})], [Reply("That tool does not exist.")]],
}
BROKEN: dict[str, list[Block]] = {
    "midfail": [Reply("This stream will break", pause=0.05), Cut()],
    "noend": [Reply("This answer has no", pause=0.05), Cut(peaceful=True)],
    "toolfail": [
        Reply("This call will break.", pause=0.05),
        Use("Write", {"file_path": "{cwd}/hello.txt", "content": "never\n" * 20}, torn=True),
    ],
}

ERRORS = {
    400: ("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "Your credit balance is too low"),
    403: ("permission_error", "not allowed"),
    404: ("not_found_error", "no such model"),
    429: ("rate_limit_error", "This request would exceed your rate limit"),
    500: ("api_error", "Internal server error"),
    529: ("overloaded_error", "Overloaded"),
}


@dataclass(frozen=True)
class Refusal:
    """A status instead of an answer, or an answer that breaks off."""

    status: int
    times: int | None
    broken: tuple[Block, ...] = ()


def prompts_of(request: Json) -> tuple[list[str], int]:
    """The prompts that name a scenario, and the number of tool results after the newest one."""
    prompts, step = [""], 0
    for message in request.get("messages", []):
        if message.get("role") != "user":
            continue
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        step += any(block.get("type") == "tool_result" for block in blocks)
        for block in blocks:
            text = _without_reminders(block.get("text", "")) if block["type"] == "text" else ""
            if "SCN=" in text:
                step = 0
                prompts.append(text)
    return prompts, step


def _without_reminders(text: str) -> str:
    return re.sub(r"<system-reminder>.*?</system-reminder>", "", text, flags=re.DOTALL)


def turn(request: Json) -> list[Block] | Refusal:
    """What the model answers to a request."""
    prompts, step = prompts_of(request)
    prompt = prompts[-1]
    names = re.findall(r"SCN=([a-z0-9_]+)", prompt)
    name = names[-1] if names else "text"
    if name.startswith("late"):
        name = name.removeprefix("late") if step else "once"
    refused = re.fullmatch(r"(?:err(\d{3})|(midfail|noend|toolfail))(?:x(\d+))?", name)
    # What is asked besides, such as a title, does not count as one of the times.
    if refused and (request.get("tools") or not refused[3]):
        cwd = _place(request, prompt)
        broken = tuple(_placed(block, cwd, "") for block in BROKEN.get(refused[2], []))
        times = int(refused[3]) if refused[3] else None
        return Refusal(int(refused[1] or 200), times, broken)
    if not request.get("tools"):
        return [Reply("A title")]
    if name == "recall":
        return [Reply(f"You had said: {'; '.join(prompts[1:-1])}")]
    script = SCRIPTS.get(name, SCRIPTS["text"])
    blocks = script[min(step, len(script) - 1)]
    cwd = _place(request, prompt)
    gate = re.findall(r"GATE=(\S+)", prompt)
    placed = [_placed(block, cwd, gate[-1] if gate else "") for block in blocks]
    return [_with_plan(block, request) for block in placed]


def _with_plan(block: Block, request: Json) -> Block:
    """The same, with the file for a plan that the agent names in the request."""
    if not isinstance(block, Use) or block.given.get("file_path") != "{plan}":
        return block
    named = re.findall(r"(/[^\s\"`'\\]*/plans/[\w.-]+\.md)", json.dumps(request["messages"]))
    path = named[-1] if named else "/nowhere/plans/plan.md"
    return Use(block.tool, {**block.given, "file_path": path}, block.torn)


def _place(request: Json, prompt: str) -> str:
    return str((re.findall(r"CWD=(\S+)", prompt) or _working_directory(request))[-1])


def _working_directory(request: Json) -> list[str]:
    """Where the agent says that it works: in a message of any role, or in the system prompt."""
    output = [message["content"] for message in request.get("messages", [])]
    texts = []
    for reported in (*output, request.get("system", "")):
        parts = [{"text": reported}] if isinstance(reported, str) else reported
        texts += [part.get("text", "") for part in parts]
    return ["/nowhere", *re.findall(r"[Ww]orking directory: (/.*)", "\n".join(texts))]


def _placed(block: Block, cwd: str, gate: str) -> Block:
    if isinstance(block, Gated):
        return Gated(block.parts, gate)
    if not isinstance(block, Use):
        return block
    given = {
        key: value.replace("{cwd}", cwd) if isinstance(value, str) else value
        for key, value in block.given.items()
    }
    return Use(block.tool, given, block.torn)


def events(number: int, model: str, blocks: list[Block]) -> Iterator[Json | float | Path | None]:
    """The stream of a message.

    A number is a pause in seconds, a path a file to wait for, None the break of the line.
    """
    usage = {
        "input_tokens": 1000,
        "cache_creation_input_tokens": 200,
        "cache_read_input_tokens": 300,
        "output_tokens": 1,
    }
    message: Json = {
        "id": f"msg_{number:06d}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    yield {"type": "message_start", "message": message}
    for index, block in enumerate(blocks):
        if isinstance(block, Cut):
            if not block.peaceful:
                yield None
            return
        first, deltas = _block(f"toolu_{number:06d}{index}", block)
        yield {"type": "content_block_start", "index": index, "content_block": first}
        for delta in deltas:
            if isinstance(delta, Path):
                yield delta
                continue
            yield {"type": "content_block_delta", "index": index, "delta": delta}
            if isinstance(block, Reply) and block.pause:
                yield block.pause
        if isinstance(block, Use) and block.torn:
            yield None
            return
        yield {"type": "content_block_stop", "index": index}
    reason = "tool_use" if any(isinstance(block, Use) for block in blocks) else "end_turn"
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None},
        "usage": {"output_tokens": 42},
    }
    yield {"type": "message_stop"}


def _block(tool_id: str, block: Think | Reply | Gated | Use) -> tuple[Json, list[Json | Path]]:
    deltas: list[Json | Path]
    if isinstance(block, Think):
        deltas = [
            {"type": "thinking_delta", "thinking": piece} for piece in _pieces(block.text, 30)
        ]
        deltas.append({"type": "signature_delta", "signature": "c2lnbmF0dXJl"})
        return {"type": "thinking", "thinking": "", "signature": ""}, deltas
    if isinstance(block, Gated):
        deltas = []
        for part, text in enumerate(block.parts):
            if part:
                deltas.append(Path(f"{block.gate}-{part}"))
            deltas.append({"type": "text_delta", "text": text})
        return {"type": "text", "text": ""}, deltas
    if isinstance(block, Reply):
        words = [f"{word} " for word in block.text.split()] if block.pause else None
        pieces = words or _pieces(block.text, 12)
        return {"type": "text", "text": ""}, [{"type": "text_delta", "text": p} for p in pieces]
    pieces = _pieces(json.dumps(block.given), 25)
    pieces = pieces[: len(pieces) // 2] if block.torn else pieces
    first = {"type": "tool_use", "id": tool_id, "name": block.tool, "input": {}}
    return first, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


def breaks(block: Block) -> bool:
    """Whether the connection breaks in it."""
    return isinstance(block, Cut) or (isinstance(block, Use) and block.torn)


def _pieces(text: str, length: int) -> list[str]:
    return [text[start : start + length] for start in range(0, len(text), length)]


class Model(ThreadingHTTPServer):
    """The server: it counts its answers, and the failures of each prompt."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Answers)
        self._lock = threading.Lock()
        self._answers = 0
        self._failures: dict[str, int] = {}

    def next_number(self) -> int:
        with self._lock:
            self._answers += 1
            return self._answers

    def wait_for(self, gate: Path) -> None:
        """Wait until the file is there; for ever, if its test has failed before it made it."""
        while not gate.exists():
            time.sleep(0.01)

    def fails(self, refusal: Refusal, prompt: str) -> bool:
        """Whether this time it still fails."""
        with self._lock:
            self._failures[prompt] = self._failures.get(prompt, 0) + 1
            return refusal.times is None or self._failures[prompt] <= refusal.times


class Answers(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Model

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the standard output is for the port."""

    def do_POST(self) -> None:
        path = self.path.split("?")[0]
        length = int(self.headers.get("content-length") or 0)
        request = json.loads(self.rfile.read(length) or b"{}")
        if path.endswith("/messages/count_tokens"):
            self._json(200, {"input_tokens": 1234})
        elif path.endswith("/messages"):
            self._answer(request)
        else:
            self._error(404, "not_found_error", f"There is no {path}")

    def do_GET(self) -> None:
        self._error(404, "not_found_error", f"There is no {self.path}")

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def _answer(self, request: Json) -> None:
        blocks = turn(request)
        if isinstance(blocks, Refusal):
            if self.server.fails(blocks, prompts_of(request)[0][-1]):
                if not blocks.broken:
                    kind, text = ERRORS.get(blocks.status, ("api_error", "It went wrong"))
                    self._error(blocks.status, kind, text)
                    return
                blocks = list(blocks.broken)
            else:
                blocks = [Reply(f"Recovered after {blocks.times} errors.")]
        if request.get("thinking", {}).get("type") not in ("enabled", "adaptive"):
            blocks = [block for block in blocks if not isinstance(block, Think)]
        number, model = self.server.next_number(), str(request.get("model"))
        if request.get("stream"):
            self._stream(events(number, model, blocks))
        elif any(breaks(block) for block in blocks):
            self.close_connection = True  # asked again without a stream, as agents do: cut as well
        else:
            self._json(200, _whole(number, model, blocks))

    def _stream(self, reported: Iterator[Json | float | Path | None]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            for event in reported:
                if event is None:
                    self.close_connection = True
                    return
                if isinstance(event, float):
                    time.sleep(event)  # a model takes its time; nobody waits for this in vain
                    continue
                if isinstance(event, Path):
                    self.server.wait_for(event)
                    continue
                text = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
            self.wfile.write(b"0\r\n\r\n")
        except ConnectionError:
            self.close_connection = True  # the agent hung up, as it does when it is interrupted

    def _error(self, status: int, kind: str, text: str) -> None:
        self._json(status, {"type": "error", "error": {"type": kind, "message": text}})

    def _json(self, status: int, body: Json) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _whole(number: int, model: str, blocks: list[Block]) -> Json:
    """A message in one piece."""
    content = [{"type": "text", "text": block.text} for block in blocks if isinstance(block, Reply)]
    return {
        "id": f"msg_{number:06d}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1000, "output_tokens": 42},
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description="A scripted model for Claude Code.")
    arguments.add_argument("--port", type=int, default=0)
    server = Model(arguments.parse_args().port)
    print("listening", server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
