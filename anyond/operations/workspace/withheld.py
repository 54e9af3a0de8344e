"""Telling a person that something has failed while programs of the repository are withheld."""

from __future__ import annotations

from anyond.git.disk import locations
from anyond.git.program import guard
from anyond.model.errors import AnyondError
from anyond.model.refusals.git import TransportWithheld
from anyond.model.refusals.remotes import Rejected
from anyond.model.refusals.withheld import ProgramsWithheld
from anyond.operations.subject import Subject


def pointed_out(subject: Subject, error: AnyondError) -> AnyondError:
    """The same failure, which says where the programs are accepted, if that may be the reason.

    A push needs what the repository may have set up for it: how ssh is called, a helper that knows
    the login, an address on this disk.
    """
    where = _where(subject)
    if isinstance(error, TransportWithheld):
        text = f"{error} {where}" if where else str(error)
        return ProgramsWithheld(text, subject.project.id)
    if where is None or isinstance(error, Rejected):
        return error
    error.reword(
        f"{error} Anyon runs git without the programs of this repository now, which may be why. "
        f"{where}"
    )
    return error


def _where(subject: Subject) -> str | None:
    place = locations.locate(subject.repository)
    held = None if place is None or place.common_dir is None else guard.of(place.common_dir)
    if held is None or held.always:
        return None
    if not (held.withheld or str(subject.worktree) in held.withheld_worktrees):
        return None
    return (
        f"See GET /api/projects/{subject.project.id}/git-programs for what has changed, and accept "
        f"it with POST /api/projects/{subject.project.id}/git-programs/accept."
    )
