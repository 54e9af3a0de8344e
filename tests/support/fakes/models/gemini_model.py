"""A scripted model for agents that speak Gemini's `generateContent`; it serves all others as well.

Usage: `python -m tests.support.fakes.models.gemini_model --port 0`; it prints `listening <port>`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from tests.support.fakes.models import chat_model
from tests.support.fakes.models.chat_model import in_words_of_the_scripts, pieces
from tests.support.fakes.models.model_server import Block, Cut, Json, Model, Reply, Think, Use

USAGE = {
    "promptTokenCount": 1500,
    "cachedContentTokenCount": 300,
    "candidatesTokenCount": 42,
    "totalTokenCount": 1542,
}
STATUSES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
}


class Answers(chat_model.Answers):
    """One connection."""

    def do_POST(self) -> None:
        path = self.path.split("?")[0]
        if path.endswith(":countTokens"):
            self.body()
            self._json(200, {"totalTokens": 1234})
        elif "enerateContent" in path:
            self._generate(self.body(), ":streamGenerateContent" in path)
        else:
            super().do_POST()

    def _generate(self, request: Json, stream: bool) -> None:
        offered = {
            tool["name"]: tool.get("parametersJsonSchema") or tool.get("parameters") or {}
            for group in request.get("tools") or []
            for tool in group.get("functionDeclarations", [])
        }
        self._number = self.server.next_number()
        blocks = self.decided(in_words_of_the_scripts(_output(request), bool(offered)), offered)
        if blocks is None:
            return
        if stream:
            self.stream(self._chunks_of(blocks))
        else:
            text = "".join(block.text for block in blocks if isinstance(block, Reply))
            self._json(200, self._chunk([{"text": text}], "STOP"))

    def refuse(self, status: int, kind: str, text: str) -> None:
        """An error as this kind of model tells it, or as the other kind does."""
        if "enerateContent" not in self.path:
            super().refuse(status, kind, text)
            return
        word = STATUSES.get(status, "UNAVAILABLE")
        self._json(status, {"error": {"code": status, "message": text, "status": word}})

    def _chunks_of(self, blocks: list[Block]) -> Iterator[Json | float | Path | None]:
        for piece in pieces(blocks):
            if isinstance(piece, Cut):
                return
            if isinstance(piece, Think):
                yield self._chunk([{"text": f"**Thinking**\n{piece.text}", "thought": True}])
            elif isinstance(piece, str):
                yield self._chunk([{"text": piece}])
            else:
                yield piece
                if piece is None:
                    return
        for use in blocks:
            if isinstance(use, Use):
                call = {"name": use.tool, "args": use.given}
                yield self._chunk([{"functionCall": call, "thoughtSignature": "c2lnbmVk"}])
                if use.torn:
                    yield None  # a call comes in one piece: what breaks is what would follow
                    return
        yield self._chunk([{"text": ""}], "STOP")

    def _chunk(self, parts: list[Json], reason: str | None = None) -> Json:
        candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
        if reason is not None:
            candidate["finishReason"] = reason
        reported = {"usageMetadata": USAGE, "modelVersion": "scripted"}
        return {"candidates": [candidate], **reported, "responseId": f"r{self._number:06d}"}


def _output(request: Json) -> list[tuple[str, str]]:
    output = [("system", chat_model.plain(request.get("systemInstruction", {}).get("parts")))]
    for content in request.get("contents", []):
        parts = content.get("parts", [])
        if any("functionResponse" in part for part in parts):
            output.append(("tool", ""))
        who = "user" if content.get("role") == "user" else "assistant"
        output += [(who, part["text"]) for part in parts if part.get("text")]
    return output


def main() -> None:
    arguments = argparse.ArgumentParser(description="A scripted model for every kind of agent.")
    arguments.add_argument("--port", type=int, default=0)
    server = Model(arguments.parse_args().port)
    server.RequestHandlerClass = Answers
    print("listening", server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
