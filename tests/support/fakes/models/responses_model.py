"""A scripted model that speaks the Responses API, for Codex: the scenarios of `model_server`.

Run it as a program: `python -m tests.support.fakes.models.responses_model --port 0` prints
`listening <port>` and serves
`POST …/v1/responses` on loopback. Prompts are read as there; what a step does is put into the tools
that the request offers. More scenarios:

    propose     presents a plan as the plan mode wants it
    revise      presents another plan
    delete      deletes README.md
    move        renames README.md to GUIDE.md and changes a line of it
    echo        calls the tool `echo` of an MCP server
    sleepsay    runs a command that waits for the file <gate>-1, then says so
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
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
)

model_server.SCRIPTS |= {
    "propose": [
        [model_server.THINKING, Reply("<proposed_plan>\n# Plan\n1. write it\n</proposed_plan>")]
    ],
    "revise": [[Reply("<proposed_plan>\n# Plan\n1. write it\n2. check it\n</proposed_plan>")]],
    "delete": [[Use("Delete", {"path": "README.md"})], [Reply("Deleted.")]],
    "move": [[Use("Move", {"path": "README.md", "to": "GUIDE.md"})], [Reply("Moved.")]],
    "echo": [[Use("mcp__fake__echo", {"text": "hi"})], [Reply("Called it.")]],
    "sleepsay": [
        [model_server.bash("while [ ! -e {gate}-1 ]; do sleep 0.05; done; echo woke")],
        [Reply("It woke.")],
    ],
}


# ---------------------------------------------------------------- what is asked


def as_messages(request: Json) -> Json:
    """The request in the form that the scenarios are chosen from."""
    messages: list[Json] = []
    results = False
    for item in request.get("input", []):
        kind = str(item.get("type", "message"))
        if kind.endswith("_output"):
            if not results:
                messages.append({"role": "user", "content": [{"type": "tool_result"}]})
            results = True
            continue
        results = False
        if kind == "message" and item.get("role") == "user":
            texts = [part.get("text", "") for part in item["content"]]
            messages.append(
                {"role": "user", "content": [{"type": "text", "text": text} for text in texts]}
            )
    found = re.findall(r"<cwd>(/[^<]+)</cwd>", json.dumps(request.get("input", [])))
    system = f"Working directory: {found[-1]}" if found else ""
    return {"messages": messages, "tools": request.get("tools"), "system": system}


def offered(request: Json) -> dict[str, Json]:
    """The tools of a request by their names; those of a namespace know its name."""
    tools: dict[str, Json] = {}
    for tool in request.get("tools") or []:
        if tool.get("type") == "namespace":
            for inner in tool.get("tools", []):
                tools[inner["name"]] = {**inner, "namespace": tool["name"]}
        else:
            tools[tool.get("name") or tool["type"]] = tool
    return tools


# ---------------------------------------------------------------- what is answered


def patch(*lines: str) -> str:
    return "\n".join(["*** Begin Patch", *lines, "*** End Patch"])


def _patched(use: Use) -> str | None:
    given = use.given
    match use.tool:
        case "Write":
            added = [f"+{line}" for line in given["content"].rstrip("\n").split("\n")]
            return patch(f"*** Add File: {given['file_path']}", *added)
        case "Edit":
            change = (f"-{given['old_string']}", f"+{given['new_string']}")
            return patch(f"*** Update File: {given['file_path']}", "@@", *change)
        case "Delete":
            return patch(f"*** Delete File: {given['path']}")
        case "Move":
            move = (f"*** Move to: {given['to']}", "@@", "-line one", "+line ONE")
            return patch(f"*** Update File: {given['path']}", *move)
    return None


def translated(use: Use, tools: dict[str, Json]) -> tuple[str, Json | str]:
    """The tool of this request that does what `use` means, and its input."""
    text = _patched(use)
    if text is not None:
        if "apply_patch" in tools:
            return "apply_patch", text
        return "exec_command", {"cmd": f"apply_patch <<'EOF'\n{text}\nEOF"}
    match use.tool:
        case "Bash":
            return "exec_command", {"cmd": use.given["command"]}
        case "Read":
            return "exec_command", {"cmd": f"cat {use.given['file_path']}"}
        case "TaskCreate":
            steps = [("Write file", "in_progress"), ("Run it", "pending")]
        case "TaskUpdate":
            steps = [("Write file", "completed"), ("Run it", "in_progress")]
        case "Agent":
            prompt = use.given["prompt"]
            return "spawn_agent", {"message": prompt, "task_name": "sub_job"}
        case "AskUserQuestion":
            [question] = use.given["questions"]
            saved = {key: question[key] for key in ("question", "header", "options")}
            return "request_user_input", {"questions": [{"id": "color", **saved}]}
        case _:
            return use.tool.rsplit("__", 1)[-1], use.given
    plan = [{"step": step, "status": status} for step, status in steps]
    return "update_plan", {"plan": plan}


def events(number: int, model: str, blocks: list[Block], tools: dict[str, Json]) -> Iterator[Any]:
    """The stream of a response; what is no event is as in `model_server.events`."""
    response: Json = {
        "id": f"resp_{number:06d}",
        "object": "response",
        "status": "in_progress",
        "model": model,
        "output": [],
    }
    yield {"type": "response.created", "response": response}
    done = []
    for index, block in enumerate(blocks):
        if isinstance(block, Cut):
            if not block.peaceful:
                yield None
            return
        where = {"item_id": f"item_{number:06d}{index}", "output_index": index}
        first, pieces, last = _item(number, index, block, tools)
        yield {"type": "response.output_item.added", "output_index": index, "item": first}
        if isinstance(block, Think):
            yield {
                "type": "response.reasoning_summary_part.added",
                **where,
                "summary_index": 0,
                "part": {"type": "summary_text", "text": ""},
            }
        for piece in pieces:
            if isinstance(piece, Path):
                yield piece
            elif isinstance(block, Use):
                kind = "response.function_call_arguments.delta"
                yield {"type": kind, **where, "delta": piece}
            elif isinstance(block, Think):
                kind = "response.reasoning_summary_text.delta"
                yield {"type": kind, **where, "summary_index": 0, "delta": piece}
            else:
                kind = "response.output_text.delta"
                yield {"type": kind, **where, "content_index": 0, "delta": piece}
                if isinstance(block, Reply) and block.pause:
                    yield block.pause
        if isinstance(block, Use) and block.torn:
            yield None
            return
        done.append(last)
        yield {"type": "response.output_item.done", "output_index": index, "item": last}
    usage = {
        "input_tokens": 1500,
        "input_tokens_details": {"cached_tokens": 300},
        "output_tokens": 42,
        "output_tokens_details": {"reasoning_tokens": 7},
        "total_tokens": 1542,
    }
    whole = {**response, "status": "completed", "output": done, "usage": usage}
    yield {"type": "response.completed", "response": whole}


def _item(
    number: int, index: int, block: Block, tools: dict[str, Json]
) -> tuple[Json, list[str | Path], Json]:
    """An item as it begins, the pieces of its text, and the item as it ends."""
    id = f"item_{number:06d}{index}"
    if isinstance(block, Use):
        name, given = translated(block, tools)
        call: Json = {"id": id, "call_id": f"call_{number:06d}{index}", "name": name}
        if "namespace" in tools.get(name, {}):
            call["namespace"] = tools[name]["namespace"]
        if isinstance(given, str):
            call |= {"type": "custom_tool_call", "input": given}
        else:
            call |= {"type": "function_call", "arguments": json.dumps(given)}
            if block.torn:
                whole = call["arguments"]
                return {**call, "arguments": ""}, [whole[: len(whole) // 2]], call
        return call, [], call
    pieces: list[str | Path] = []
    if isinstance(block, Think):
        summary = [{"type": "summary_text", "text": block.text}]
        thought: Json = {"id": id, "type": "reasoning", "encrypted_content": "c2VjcmV0"}
        pieces += _cut(block.text, 30)
        return {**thought, "summary": []}, pieces, {**thought, "summary": summary}
    if isinstance(block, Gated):
        text = "".join(block.parts)
        for part, piece in enumerate(block.parts):
            pieces += [Path(f"{block.gate}-{part}"), piece] if part else [piece]
    else:
        assert isinstance(block, Reply)
        text = block.text
        pieces += [f"{word} " for word in text.split()] if block.pause else _cut(text, 12)
    message: Json = {"id": id, "type": "message", "role": "assistant"}
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {**message, "content": []}, pieces, {**message, "content": content}


def _cut(text: str, length: int) -> list[str]:
    return [text[start : start + length] for start in range(0, len(text), length)]


# ---------------------------------------------------------------- the server


class Answers(model_server.Answers):
    """One connection."""

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        request = json.loads(self.rfile.read(length) or b"{}")
        if self.path.split("?")[0].endswith("/responses"):
            self._answer(request)
        else:
            self._error(404, "not_found_error", f"There is no {self.path}")

    def do_GET(self) -> None:
        if self.path.split("?")[0].endswith("/models"):
            self._json(200, {"object": "list", "data": [], "models": []})
        else:
            self._error(404, "not_found_error", f"There is no {self.path}")

    def _answer(self, request: Json) -> None:
        asked = as_messages(request)
        prompts = model_server.prompts_of(asked)[0]
        blocks = model_server.turn(asked)
        if isinstance(blocks, Refusal):
            if self.server.fails(blocks, prompts[-1]):
                if not blocks.broken:
                    reported = model_server.ERRORS.get(
                        blocks.status, ("api_error", "It went wrong")
                    )
                    self._error(blocks.status, *reported)
                    return
                blocks = list(blocks.broken)
            else:
                blocks = [Reply(f"Recovered after {blocks.times} errors.")]
        gates = [word.partition("=")[2] for word in prompts[-1].split() if "GATE=" in word]
        placed = [_gated(block, gates[-1] if gates else "") for block in blocks]
        number, model = self.server.next_number(), str(request.get("model"))
        self._stream(events(number, model, placed, offered(request)))

    def _error(self, status: int, kind: str, text: str) -> None:
        self._json(status, {"error": {"message": text, "type": kind, "code": kind}})


def _gated(block: Block, gate: str) -> Block:
    if isinstance(block, Use) and "command" in block.given:
        command = block.given["command"].replace("{gate}", gate)
        return Use(block.tool, {**block.given, "command": command})
    return block


class Model(model_server.Model):
    """The server."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.RequestHandlerClass = Answers


def main() -> None:
    arguments = argparse.ArgumentParser(description="A scripted model for Codex.")
    arguments.add_argument("--port", type=int, default=0)
    server = Model(arguments.parse_args().port)
    print("listening", server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
