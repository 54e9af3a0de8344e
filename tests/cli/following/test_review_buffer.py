"""Comments are read out of an edited diff with the very lines that they stand below."""

from __future__ import annotations

import pytest

from anyond.cli.following.review_buffer import buffer_of, comments
from anyond.cli.frame.failures import CommandFailed
from anyond.model.http.changes import FileChanges, Hunk, HunkLine
from anyond.model.http.reviews import NewComment, Side

LINES = [
    HunkLine(kind=" ", text="> quoted", old=1, new=1),
    HunkLine(kind="-", text="old", old=2),
    HunkLine(kind="+", text="n\x1bew  ", new=2),
]
FILE = FileChanges(
    base=None,
    head=None,
    path="tea.md",
    header=["diff --git a/tea.md b/tea.md"],
    hunks=[
        Hunk(old_start=1, old_lines=2, new_start=1, new_lines=2, section="", lines=LINES),
    ],
)


def below(line: str, *said: str) -> list[NewComment]:
    buffer = buffer_of([FILE])
    assert line in buffer.lines
    position = buffer.lines.index(line) + 1
    edited = [*buffer.lines[:position], *said, *buffer.lines[position:]]
    return comments(buffer, "\n".join(edited))


def test_each_comment_has_its_line_and_the_text_as_it_is() -> None:
    (comment,) = below("+n␛ew  ", "> Why?", ">", ">Really?")
    assert comment == NewComment(
        body="Why?\n\nReally?", path="tea.md", side=Side.NEW, start_line=2, lines="n\x1bew  "
    )
    (comment,) = below("-old", "> It was better.")
    assert (comment.side, comment.start_line, comment.lines) == (Side.OLD, 2, "old")
    (comment,) = below(" > quoted", "> Yes")
    assert (comment.start_line, comment.lines) == (1, "> quoted")
    (comment,) = below("diff --git a/tea.md b/tea.md", "> All of it.")
    assert (comment.path, comment.start_line, comment.lines) == ("tea.md", None, None)
    assert below("-old", ">", ">  ") == []


def test_what_is_about_nothing_is_a_comment_too() -> None:
    buffer = buffer_of([FILE])
    assert comments(buffer, f"> Well done.\n{buffer.text}") == [NewComment(body="Well done.")]
    trimmed = "\n".join(line.rstrip() for line in buffer.lines)
    assert comments(buffer, trimmed) == []


def test_a_changed_diff_is_refused() -> None:
    buffer = buffer_of([FILE])
    with pytest.raises(CommandFailed, match="was changed"):
        comments(buffer, buffer.text.replace("-old", "-odd"))
    with pytest.raises(CommandFailed, match="was changed"):
        comments(buffer, buffer.text + "more\n")
