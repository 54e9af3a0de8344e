"""What a command of git answered, and what its failure means as such."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import ClassVar

from anyond.git.disk.locks import Locked, lock_in
from anyond.git.program.refusals import Refusal
from anyond.model.errors import SHORTAGES, AnyondError, Kind, ToolFailed

_MOST_SAID = 4000
"""Characters of what git complains of that go into a message."""

# Git says it in the words of the system, which it does not translate under our settings.
_SHORT_OF = tuple(map(os.strerror, sorted(SHORTAGES)))


@dataclass(frozen=True)
class Output:
    """What a command answered.

    Args:
        code: its exit status; negative if a signal ended it.
        out: its standard output.
        err: its standard error, free of secrets.
        refusal: which program of the person's made it fail, if one did.
    """

    code: int
    out: bytes
    err: str
    refusal: Refusal | None = None

    @property
    def text(self) -> str:
        """The output as one line of text, without its newline."""
        return os.fsdecode(self.out.removesuffix(b"\n"))


class GitFailed(ToolFailed):
    """Git refused, and we have no better name for it.

    Args:
        command: what was run, without secrets.
        code: the exit status.
        stderr: everything it said, without secrets.
    """

    def __init__(self, command: tuple[str, ...], code: int, stderr: str) -> None:
        said = _in_short(stderr.strip()) or f"exit status {code}"
        super().__init__("git", f"git {verb(command)} failed: {said}")
        self.command = command
        self.code = code
        self.stderr = stderr


class Refused(GitFailed):
    """Git is well; a program that the person has set up for it said no, or is not there."""

    kind: ClassVar[Kind] = Kind.CONFLICT

    def __init__(self, command: tuple[str, ...], output: Output, refusal: Refusal) -> None:
        super().__init__(command, output.code, output.err)
        told = _in_short(refusal.sentence)
        self.args = (told,)
        self.data = {"type": refusal.type, "message": told, **refusal.named}
        self.refusal = refusal


class ShortOf(GitFailed):
    """The machine has no more of what git needs; there may be again."""

    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self, command: tuple[str, ...], output: Output) -> None:
        super().__init__(command, output.code, output.err)
        self.data = None


def failure(command: tuple[str, ...], output: Output) -> AnyondError:
    """What the refusal of a command means as such: somebody's lock, the no of a hook or another
    program of the person's, or that git has failed."""
    lock = lock_in(output.err)
    if lock is not None:
        return Locked(lock)
    if output.refusal is not None:
        return Refused(command, output, output.refusal)
    if any(words in output.err for words in _SHORT_OF):
        return ShortOf(command, output)
    return GitFailed(command, output.code, output.err)


def scrub(text: str) -> str:
    """`text` without the passwords in URLs and the values of extra headers."""
    text = re.sub(r"(\w://)[^/@\s]+@", r"\1***@", text)
    return re.sub(r"(?i)(extraheader=|authorization:).*", r"\1***", text)


def verb(command: tuple[str, ...]) -> str:
    """What a command does: the name of the command of git's."""
    words = iter(command)
    for word in words:
        if word in {"-c", "-C"}:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return "command"


def _in_short(text: str) -> str:
    """Git says a line for each file that it cannot write, a hundred thousand of them perhaps."""
    if len(text) <= _MOST_SAID:
        return text
    begin, end = text[: _MOST_SAID // 2], text[-_MOST_SAID // 2 :]
    begin, end = begin.rpartition("\n")[0] or begin, end.partition("\n")[2] or end
    return f"{begin}\n… ({len(text) - len(begin) - len(end)} characters left out)\n{end}"
