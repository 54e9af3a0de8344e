"""A scripted model for agents that speak OpenAI's chat completions.

The scripts are those of `model_server`: what an agent asks is put into the words that they
understand, and what they answer into the tools that the agent offers.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.fakes.models import model_server
from tests.support.fakes.models.model_server import (
    Block,
    Cut,
    Gated,
    Json,
    Refusal,
    Reply,
    Think,
    Use,
    breaks,
)

USAGE = {
    "prompt_tokens": 1500,
    "completion_tokens": 42,
    "total_tokens": 1542,
    "prompt_tokens_details": {"cached_tokens": 300},
}
_PATHS = (
    r"<env>.*?[Ww]orking directory: (/\S+)",
    r"[Cc]urrent working directory: *`?(/[^\s`<]+)",
    r"currently working in the directory: (/\S+)",
    r"Workspace Directories:\**\s+- (/\S+)",
    r"<cwd>(/[^<]+)</cwd>",
    r"Absolute path: (/\S+)",
    r"[Ww]orking directory[^/\n]{0,20}[:`] *`?(/[^\s`<]+)",
    r"% pwd\s+(/\S+)",
)


def _same(given: Json) -> Json:
    return given


def _lines(given: Json) -> Json:
    return {"filePath": given["file_path"], "content": given["content"]}


def _either(given: Json) -> Json:
    return {"path": given["file_path"], **given}


def _text(given: Json) -> Json:
    return {"path": given["file_path"], "file_text": given["content"]}


def _shell(given: Json) -> Json:
    return {**given, "is_background": False}


def _session(given: Json) -> Json:
    return {**given, "mode": "sync", "initial_wait": 30}


def _risk(given: Json) -> Json:
    reported = {"summary": "Run a command", "riskLevelReason": "small", "riskLevel": "low"}
    return {"command": given["command"], **reported}


TOOLS: dict[str, list[tuple[str, Callable[[Json], Json]]]] = {
    "Write": [("write_file", _either), ("write", _lines), ("create", _text), ("Create", _same)],
    "Bash": [("run_shell_command", _shell), ("bash", _session), ("Execute", _risk)],
}
"""What the agents call the tools of the scripts, and how those become theirs."""


def fitting(blocks: list[Block], offered: dict[str, Json]) -> list[Block]:
    """The same steps with the tools that are offered."""
    return [_fitted(block, offered) if isinstance(block, Use) else block for block in blocks]


def _fitted(use: Use, offered: dict[str, Json]) -> Block:
    for name, adapt in [(use.tool, _same), *TOOLS.get(use.tool, [])]:
        if name in offered:
            known = offered[name].get("properties") or {}
            given = adapt(use.given)
            saved = {key: given[key] for key in given if not known or key in known}
            return Use(name, saved, use.torn)
    return Reply(f"(There is no {use.tool} among {', '.join(offered)}.)")


def in_words_of_the_scripts(output: list[tuple[str, str]], tools: bool) -> Json:
    """A request as `model_server.turn` reads it.

    Args:
        said: who and what, in order; the results of tools are said by "tool".
        tools: whether tools are offered.
    """
    messages: list[Json] = []
    last = ""
    for who, text in output:
        if who == "tool":
            if last != "tool":
                messages.append({"role": "user", "content": [{"type": "tool_result"}]})
        else:
            messages.append({"role": who, "content": text})
        last = who
    everything = "\n".join(text for _, text in output)
    found = (re.search(place, everything, re.DOTALL) for place in _PATHS)
    place = next((match[1].rstrip(".,") for match in found if match), "/nowhere")
    return {"messages": messages, "tools": tools, "system": f"Working directory: {place}"}


def plain(content: object) -> str:
    """The text of a message, whether it comes whole or in parts."""
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content)
    return content if isinstance(content, str) else ""


class Answers(model_server.Answers):
    """One connection; other agents than those of chat completions are answered as before."""

    def do_POST(self) -> None:
        if self.path.split("?")[0].endswith("/chat/completions"):
            request = self.body()
            output = [(m["role"], plain(m.get("content"))) for m in request.get("messages", [])]
            offered = {
                tool["function"]["name"]: tool["function"].get("parameters", {})
                for tool in request.get("tools") or []
            }
            blocks = self.decided(in_words_of_the_scripts(output, bool(offered)), offered)
            if blocks is not None:
                self._chat(request, blocks)
        else:
            super().do_POST()

    def do_GET(self) -> None:
        if self.path.split("?")[0].endswith("/models"):
            model = {"id": "scripted", "object": "model", "created": 1, "owned_by": "tests"}
            self._json(200, {"object": "list", "data": [model]})
        else:
            super().do_GET()

    def body(self) -> Any:
        """The request, also if it comes in chunks."""
        if (self.headers.get("transfer-encoding") or "").lower() != "chunked":
            return json.loads(
                self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}"
            )
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return json.loads(data)

    def decided(self, request: Json, offered: dict[str, Json]) -> list[Block] | None:
        """What to answer; None if it was an error, and the agent has it."""
        blocks = model_server.turn(request)
        if isinstance(blocks, Refusal):
            prompt = model_server.prompts_of(request)[0][-1]
            if self.server.fails(blocks, prompt):
                if not blocks.broken:
                    reported = model_server.ERRORS.get(
                        blocks.status, ("api_error", "It went wrong")
                    )
                    self.refuse(blocks.status, *reported)
                    return None
                blocks = list(blocks.broken)
            else:
                blocks = [Reply(f"Recovered after {blocks.times} errors.")]
        return fitting(blocks, offered)

    def refuse(self, status: int, kind: str, text: str) -> None:
        """An error as this kind of model tells it."""
        error = {"message": text, "type": kind, "code": kind, "param": None}
        self._json(status, {"error": error})

    def _chat(self, request: Json, blocks: list[Block]) -> None:
        number = self.server.next_number()
        base = {"id": f"chatcmpl-{number}", "created": 1, "model": request.get("model")}
        calls = [
            {
                "index": index,
                "id": f"call_{number:06d}{index}",
                "type": "function",
                "function": {"name": use.tool, "arguments": json.dumps(use.given)},
            }
            for index, use in enumerate(block for block in blocks if isinstance(block, Use))
        ]
        reason = "tool_calls" if calls else "stop"
        if not request.get("stream"):
            if any(breaks(block) for block in blocks):
                self.close_connection = True
                return
            text = "".join(block.text for block in blocks if isinstance(block, Reply))
            message = {
                "role": "assistant",
                "content": text,
                **({"tool_calls": calls} if calls else {}),
            }
            choice = {"index": 0, "message": message, "finish_reason": reason}
            whole = {**base, "object": "chat.completion", "choices": [choice], "usage": USAGE}
            self._json(200, whole)
            return
        chunks = self._chunks({**base, "object": "chat.completion.chunk"}, blocks, calls)
        self.stream(chunks, b"data: [DONE]\n\n")

    def _chunks(
        self, base: Json, blocks: list[Block], calls: list[Json]
    ) -> Iterator[Json | float | Path | None]:
        def chunk(delta: Json, reason: str | None = None) -> Json:
            return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

        yield chunk({"role": "assistant", "content": ""})
        for piece in pieces(blocks):
            if isinstance(piece, Cut):
                return
            if isinstance(piece, Think):
                yield chunk({"reasoning_content": piece.text})
            elif isinstance(piece, str):
                yield chunk({"content": piece})
            else:
                yield piece
                if piece is None:
                    return
        for call in calls:
            if any(breaks(block) for block in blocks):
                first, rest = call["function"]["arguments"][:20], call["function"]["arguments"][20:]
                begun = {**call["function"], "arguments": first}
                yield chunk({"tool_calls": [{**call, "function": begun}]})
                more = {"index": call["index"], "function": {"arguments": rest[:20]}}
                yield chunk({"tool_calls": [more]})
                yield None
                return
            yield chunk({"tool_calls": [call]})
        yield chunk({}, "tool_calls" if calls else "stop")
        yield {**base, "choices": [], "usage": USAGE}

    def stream(self, reported: Iterator[Json | float | Path | None], end: bytes = b"") -> None:
        """Send events without names; numbers, paths and None are as `model_server` means them."""
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
                elif isinstance(event, Path):
                    self.server.wait_for(event)
                else:
                    self._piece(b"data: " + json.dumps(event).encode() + b"\n\n")
            self._piece(end)
            self.wfile.write(b"0\r\n\r\n")
        except ConnectionError:
            self.close_connection = True  # the agent hung up, as it does when it is interrupted

    def _piece(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


def pieces(blocks: list[Block]) -> Iterator[str | Think | Cut | float | Path | None]:
    """The texts in small pieces, pauses in seconds, files to wait for, None where it breaks.

    A peaceful cut comes as it is.
    """
    for block in blocks:
        match block:
            case Cut(peaceful):
                yield block if peaceful else None
                return
            case Think():
                yield block
            case Gated(parts, gate):
                for part, text in enumerate(parts):
                    if part:
                        yield Path(f"{gate}-{part}")
                    yield text
            case Reply(text, pause):
                words = [f"{word} " for word in text.split()] if pause else None
                for piece in words or [text[at : at + 12] for at in range(0, len(text), 12)]:
                    yield piece
                    if pause:
                        yield pause
