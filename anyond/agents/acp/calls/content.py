"""The content of a tool call: texts, and diffs of files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyond.agents.acp.calls.changes import Diff, diff_in
from anyond.agents.json_rpc.jsonrpc import as_dict, as_list, as_text


class Content:
    """The content of one call; of each kind the newest.

    Args:
        cwd: paths are shown relative to it.

    Attributes:
        texts, diffs: in the order of the agent.
    """

    def __init__(self, cwd: str) -> None:
        self._cwd = cwd
        self.texts: list[str] = []
        self.diffs: list[Diff] = []

    def merge(self, content: list[Any], already_reported: bool) -> None:
        """Take in the content that a message has.

        Args:
            told_before: its texts are no output, for the tool has not run yet.
        """
        texts: list[str] = []
        diffs: list[Diff] = []
        for item in map(as_dict, content):
            if item.get("type") == "diff":
                diffs.append(diff_in(item, self._cwd))
            elif item.get("type") == "content":
                block = as_dict(item.get("content"))
                text = as_text(block.get("text"))
                texts.append(text or as_text(as_dict(block.get("resource")).get("text")))
        # A later text does not unsay a diff, nor the other way round.
        self.diffs = diffs or self.diffs
        if texts and not already_reported:
            self.texts = texts

    def written(self, path: str) -> str | None:
        """Return the content that a diff has written to that file, if one has."""
        return next((diff.new for diff in self.diffs if diff.path == path), None)


def text_of(fields: Mapping[str, Any]) -> str:
    """The texts of a message, in one."""
    blocks = [as_dict(item.get("content")) for item in map(as_dict, as_list(fields.get("content")))]
    return "".join(as_text(block.get("text")) for block in blocks)
