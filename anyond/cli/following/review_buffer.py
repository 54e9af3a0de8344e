"""The text in which a person comments on lines of a diff, and reading the comments out of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from anyond.cli.frame.failures import CommandFailed
from anyond.cli.rendering.harmless import harmless, in_one_line
from anyond.model.http.changes import FileChanges
from anyond.model.http.reviews import NewComment, Side

MARK = ">"
_HEAD = (
    "# Write comments below the lines that they are about, each line with > before it.",
    "# What stands here already must stay. Without a comment nothing is sent.",
    "",
)


class _Place(NamedTuple):
    """A line of a diff; without a number it is about the file."""

    path: str
    side: Side = Side.NEW
    number: int | None = None
    text: str = ""


class Buffer(NamedTuple):
    """The lines of a buffer, and what each is about; None is nothing."""

    lines: list[str]
    places: list[_Place | None]

    @property
    def text(self) -> str:
        """The text for an editor."""
        return "\n".join(self.lines) + "\n"


def buffer_of(files: Sequence[FileChanges]) -> Buffer:
    """The buffer for a diff. No line of it begins as a comment does."""
    lines: list[str] = list(_HEAD)
    places: list[_Place | None] = [None] * len(_HEAD)

    def put(line: str, place: _Place) -> None:
        lines.append(line)
        places.append(place)

    for file in files:
        whole = _Place(file.path)
        for line in file.header or [f"diff {file.path}"]:
            put(in_one_line(line), whole)
        for hunk in file.hunks:
            ranges = f"-{hunk.old_start},{hunk.old_lines} +{hunk.new_start},{hunk.new_lines}"
            put(f"@@ {ranges} @@ {in_one_line(hunk.section)}".rstrip(), whole)
            for one in hunk.lines:
                old = one.new is None
                number = one.old if old else one.new
                side = Side.OLD if old else Side.NEW
                put(
                    one.kind + harmless(one.text).replace("\n", " "),
                    _Place(file.path, side, number, one.text),
                )
    return Buffer(lines, places)


def comments(buffer: Buffer, edited: str) -> list[NewComment]:
    """The comments in an edited buffer, each with the line that it stands below.

    Raises:
        CommandFailed: something else was changed, so that nobody knows what they are about.
    """
    found: list[NewComment] = []
    body: list[str] = []
    position = 0

    def close() -> None:
        text = "\n".join(body).strip()
        body.clear()
        if text:
            place = buffer.places[position - 1] if position else None
            found.append(_comment(place, text))

    for line in edited.rstrip("\n").split("\n"):
        if line.startswith(MARK):
            body.append(line[len(MARK) :].removeprefix(" "))
            continue
        close()
        # Editors take spaces off the ends of lines.
        if position >= len(buffer.lines) or line.rstrip() != buffer.lines[position].rstrip():
            raise CommandFailed(
                f"Line {position + 1} of the diff was changed: {in_one_line(line)!r}. Comments"
                " begin with >, and the rest stays as it is. Nothing was sent.",
                type="invalid",
            )
        position += 1
    close()
    return found


def _comment(place: _Place | None, text: str) -> NewComment:
    if place is None:
        return NewComment(body=text)
    return NewComment(
        body=text,
        path=place.path,
        side=place.side,
        start_line=place.number,
        lines=place.text if place.number is not None else None,
    )
