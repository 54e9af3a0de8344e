"""Failures of git, and of the programs that a person has set up for it."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import UNSET, UnsetType

from anyond.model.errors import Conflict, Kind
from anyond.model.refusals.programs import ToolFailed

_OUTPUT_MOST = 4000
"""Characters of what git complains of that go into a sentence."""


class GitFailed(ToolFailed):
    """Git refused, and we have no better name for it.

    Attributes:
        command: what was run, without secrets.
        code: the exit status.
        stderr: everything it said, without secrets.
    """

    def __init__(
        self, command: tuple[str, ...], code: int, stderr: str, sentence: str | None = None
    ) -> None:
        output = _in_short(stderr.strip()) or f"exit status {code}"
        text = f"git {verb(command)} failed: {output}" if sentence is None else _in_short(sentence)
        super().__init__("git", text)
        self.command = command
        self.code = code
        self.stderr = stderr


class ShortOf(GitFailed, bare=True):
    """The machine has no more of what git needs; there may be again."""

    kind = Kind.UNAVAILABLE


class Refused(GitFailed, bare=True):
    """Git is well; what a person has set up for it said no, or is not there."""

    kind = Kind.CONFLICT

    def __init__(self, sentence: str) -> None:
        super().__init__((), 1, "", sentence)

    def of(self, command: tuple[str, ...], code: int, stderr: str) -> Refused:
        """The same, which knows what git has answered."""
        self.command, self.code, self.stderr = command, code, stderr
        return self


class TransportWithheld(Refused, bare=True):
    """Git was not let go to an address on this disk; `ProgramsWithheld` says so to clients."""

    def __init__(self, transport: str) -> None:
        super().__init__(
            f"Git was not let go there ({transport}): programs could run at an address on this "
            "disk, and what git runs in this repository has changed while an agent was at work."
        )


class DubiousOwnership(Refused, type="dubious_ownership"):
    """The repository belongs to somebody else; `message` says how to allow it."""

    message: str

    def __init__(self, place: str) -> None:
        super().__init__(
            f"{place} belongs to somebody else, and git does not work there (dubious ownership). "
            f"If you trust it: git config --global --add safe.directory {place}"
        )


class HeadBroken(Refused, type="head_broken"):
    """The HEAD of the repository is missing or damaged; `message` says which file."""

    message: str

    def __init__(self, head: str) -> None:
        super().__init__(
            f"{head} is missing or damaged, and git takes the directory for no repository without "
            "it. To mend it, write `ref: refs/heads/` and the name of a branch into that file."
        )


class RepositoryMissing(Refused, type="repository_missing"):
    """No repository is left where it was; `message` says where."""

    message: str

    def __init__(self, place: str) -> None:
        super().__init__(
            f"{place} is not a git repository any more. Put it back; if it was moved, tell its "
            "project where it is (`git_repo_path`)."
        )


class ObjectsMissing(Refused, type="objects_missing"):
    """A partial clone lacks something that its remote does not give."""

    message: str

    def __init__(self, output: str) -> None:
        super().__init__(
            f"The repository is a partial clone, and its remote did not give what is missing here "
            f"({output}). Once `git fetch` works in it again, ask again."
        )


class GitConfigBroken(Refused, type="git_config_broken"):
    """Git cannot read its configuration; `message` says which file and line."""

    message: str

    def __init__(self, output: str) -> None:
        super().__init__(
            f"Git cannot read its configuration ({output}), so it does nothing. Mend it."
        )


class HookRefused(Refused, type="hook_refused"):
    """A hook of the repository said no; `message` has its words, `hook` its name if that is known.

    Args:
        what: what is refused.
    """

    message: str
    hook: str | UnsetType

    def __init__(self, hook: str | None, what: str, output: str) -> None:
        which = f"The repository's {hook} hook" if hook else "A hook of the repository"
        super().__init__(
            f"{which} refuses {what}" + (f": {output}" if output else ", and does not say why.")
        )
        self.hook = hook or UNSET


class FilterFailed(Refused, type="filter_failed"):
    """A filter that files go through is not there (`program` was not found) or failed."""

    message: str
    filter: str | UnsetType
    program: str | UnsetType

    def __init__(self, filter: str, output: str) -> None:
        which = f"The filter {filter}" if filter else "A filter of the repository"
        self._init(
            f"{which} failed" + (f": {output}" if output else ", and does not say why."), filter
        )

    def _init(self, sentence: str, filter: str, program: str | UnsetType = UNSET) -> None:
        super().__init__(sentence)
        self.filter = filter or UNSET
        self.program = program


class FilterMissing(FilterFailed):
    """Files go through a filter that is required, and its program was not found, or there is none.

    Args:
        program: None if git knows none.
    """

    def __init__(self, filter: str, program: str | None) -> None:
        through = (
            f"Files of this repository go through the filter {filter}, which is required "
            f"(filter.{filter}.required)"
        )
        if program is None:
            text = f"{through}, and git knows no program for it."
        else:
            text = (
                f"{through}, and its program {program} was not found. Install {program}, or start "
                "the daemon with a PATH that has it."
            )
        self._init(text, filter, program or UNSET)


class SigningFailed(Refused, type="signing_failed"):
    """A commit was to be signed, and could not be; `message` says why."""

    message: str

    def __init__(self, output: str) -> None:
        super().__init__(
            "The commit could not be signed, as the settings of git want it (commit.gpgSign): "
            f"{output or 'gpg does not say why.'}"
        )


class Locked(Conflict, type="locked"):
    """Another git keeps holding `lock`; nothing was changed."""

    lock: str

    def __init__(self, lock: Path) -> None:
        super().__init__(
            f"Another git is at work: it holds {lock}. Try again when it is done; if no git is "
            "running, delete that file."
        )
        self.lock = os.fsencode(lock).decode("utf-8", "replace")


def verb(command: tuple[str, ...]) -> str:
    """Return the verb of a command: the name of the command of git's."""
    words = iter(command)
    for word in words:
        if word in {"-c", "-C"}:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return "command"


def _in_short(text: str) -> str:
    """Git says a line for each file that it cannot write, a hundred thousand of them perhaps."""
    if len(text) <= _OUTPUT_MOST:
        return text
    begin, end = text[: _OUTPUT_MOST // 2], text[-_OUTPUT_MOST // 2 :]
    begin, end = begin.rpartition("\n")[0] or begin, end.partition("\n")[2] or end
    return f"{begin}\n… ({len(text) - len(begin) - len(end)} characters left out)\n{end}"
