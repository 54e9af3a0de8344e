"""Refusals as long as nobody has accepted a change of what git runs in a repository."""

from __future__ import annotations

from anyond.model.errors import Conflict


class ProgramsWithheld(Conflict, type="git_programs_withheld"):
    """It needs what a run has changed of what git runs, and nobody has accepted that."""

    project_id: str

    def __init__(self, sentence: str, project_id: str) -> None:
        super().__init__(sentence)
        self.project_id = project_id


class ProgramsChanged(Conflict, type="git_programs_changed"):
    """There is something else by now than what `digest` stands for."""

    def __init__(self) -> None:
        super().__init__("It has changed since it was looked at. Look at it again.")
