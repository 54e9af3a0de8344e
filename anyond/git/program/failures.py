"""The output of a command of git, and its failure as an error."""

from __future__ import annotations

import os
import re

from msgspec import Struct

from anyond.git.disk.locks import lock_in
from anyond.model.errors import SHORTAGES, AnyondError
from anyond.model.refusals.git import GitFailed, Locked, Refused, ShortOf

# Git says it in the words of the system, which it does not translate under our settings.
_SHORT_OF = tuple(map(os.strerror, sorted(SHORTAGES)))


class Output(Struct, frozen=True):
    """The output of a command.

    Args:
        code: its exit status; negative if a signal ended it.
        out: its standard output.
        err: its standard error, free of secrets.
        refusal: which program of the person's made it fail, if one did.
    """

    code: int
    out: bytes
    err: str
    refusal: Refused | None = None

    @property
    def text(self) -> str:
        """The output as one line of text, without its newline."""
        return os.fsdecode(self.out.removesuffix(b"\n"))


def failure(command: tuple[str, ...], output: Output) -> AnyondError:
    """Return the error for the failure of a command: somebody's lock, the no of a hook or another
    program of the person's, or a failure of git's.
    """
    lock = lock_in(output.err)
    if lock is not None:
        return Locked(lock)
    if output.refusal is not None:
        return output.refusal.of(command, output.code, output.err)
    if any(words in output.err for words in _SHORT_OF):
        return ShortOf(command, output.code, output.err)
    return GitFailed(command, output.code, output.err)


def scrub(text: str) -> str:
    """`text` without the passwords in URLs and the values of extra headers."""
    text = re.sub(r"(\w://)[^/@\s]+@", r"\1***@", text)
    return re.sub(r"(?i)(extraheader=|authorization:).*", r"\1***", text)
