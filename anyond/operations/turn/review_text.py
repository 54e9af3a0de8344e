"""The message that a review is for an agent."""

from __future__ import annotations

from anyond.model.http.reviews import Review, ReviewComment, Side

_QUOTED_MOST = 40
"""So many lines of a range are quoted; the agent can read the file."""


def message(review: Review, text: str | None) -> str:
    """All comments with their places and the text of their lines, as one message."""
    parts = [text.strip()] if text and text.strip() else []
    parts += [_part(number, one) for number, one in enumerate(review.comments, 1)]
    return "\n\n".join(parts)


def _part(number: int, one: ReviewComment) -> str:
    head = f"{number}."
    if one.path:
        head += f" {one.path}"
    if one.start_line is not None:
        head += f":{one.start_line}"
        if one.end_line not in (None, one.start_line):
            head += f"-{one.end_line}"
        if one.side is Side.OLD:
            head += " (as it was before the change)"
    lines = one.lines.rstrip("\n").split("\n") if one.lines else []
    quoted = [f"> {line}" for line in lines[:_QUOTED_MOST]]
    if len(lines) > _QUOTED_MOST:
        quoted.append("> …")
    return "\n".join([head, *quoted, "", one.body.strip()])
