"""Programs that Anyon relies on, and what it may use of the machine."""

from __future__ import annotations

from collections.abc import Sequence

from anyond.model.errors import AnyondError, Kind, Unavailable


class ToolFailed(AnyondError, type="tool_failed"):
    """Git or another program failed."""

    kind = Kind.BROKEN_TOOL

    tool: str

    def __init__(self, tool: str, sentence: str) -> None:
        super().__init__(sentence)
        self.tool = tool


class ProgramMissing(AnyondError, type="program_missing"):
    """A program is needed that is not installed; `install` tells how to get it.

    Args:
        program: what was looked for.
        looked_in: where.
        install: one sentence that tells how to get it.
    """

    kind = Kind.IMPOSSIBLE

    program: str
    install: str

    def __init__(self, program: str, looked_in: Sequence[str], install: str) -> None:
        listed = ", ".join(looked_in) or "(PATH is empty)"
        super().__init__(f"The program {program!r} was not found. Looked in: {listed}. {install}")
        self.program = program
        self.install = install


class TooManyOpenFiles(Unavailable, type="too_many_open_files"):
    """Nearly all files that Anyon may have open are in use, so no agent is started.

    Args:
        limit: how many those are.
    """

    message: str

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"Nothing is started: nearly all of the {limit:,} files that Anyon may have open are "
            "in use. Close some clients, or raise the limit (ulimit -n, LimitNOFILE= of systemd)."
        )
