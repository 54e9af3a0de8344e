"""Refusals that come together, and statuses that need no further type."""

from __future__ import annotations

from anyond.model.refusals.access import NotBelow, NotForAgents, OutsideProjects, ScopeMissing
from anyond.model.refusals.git import (
    DubiousOwnership,
    FilterFailed,
    GitConfigBroken,
    HeadBroken,
    HookRefused,
    Locked,
    ObjectsMissing,
    RepositoryMissing,
    SigningFailed,
)
from anyond.model.refusals.programs import ProgramMissing, ToolFailed, TooManyOpenFiles
from anyond.model.refusals.remotes import (
    InsufficientPermissions,
    RateLimited,
    RepositoryNotFound,
    Slow,
    TokenInvalid,
    TokenMissing,
    Unexpected,
    Unreachable,
)
from anyond.model.refusals.requests import Impossible, NotLetIn
from anyond.model.refusals.runs import STARTING
from anyond.model.refusals.worktrees import (
    BranchCheckedOut,
    BranchMoved,
    CherryPickInProgress,
    MergeInProgress,
    NameTaken,
    NoWorktree,
    PathTaken,
    RebaseInProgress,
    RevertInProgress,
    WorktreeElsewhere,
)

IN_PROGRESS = (RebaseInProgress, MergeInProgress, CherryPickInProgress, RevertInProgress)
"""Where an unfinished operation of git's is in the way."""
GIT = (
    ToolFailed,
    ProgramMissing,
    Locked,
    HookRefused,
    FilterFailed,
    SigningFailed,
    HeadBroken,
    GitConfigBroken,
    RepositoryMissing,
    ObjectsMissing,
    DubiousOwnership,
)
"""Wherever git is asked."""
WORKTREE = (
    *GIT,
    NoWorktree,
    WorktreeElsewhere,
    BranchCheckedOut,
    BranchMoved,
    NameTaken,
    PathTaken,
    Impossible,
)
"""Wherever a worktree is needed, which may have to be made again."""
JOB = (*WORKTREE, *STARTING, TooManyOpenFiles)
"""Whatever has to be alone in a worktree."""
NETWORK = (RateLimited, Unreachable, Slow, Unexpected)
"""Wherever another machine is asked."""
GITHUB = (*NETWORK, TokenMissing, TokenInvalid, InsufficientPermissions, RepositoryNotFound)
"""Wherever GitHub is asked."""

NOT_ALLOWED = (NotLetIn, ScopeMissing, OutsideProjects, NotForAgents, NotBelow)
"""Whoever asks may not, at any endpoint."""

COMMON = {
    401: "The daemon wants its token: `Authorization: Bearer <token>`.",
    403: "Such a Host, Origin or user of this machine is not let in.",
    408: "The body did not arrive in time.",
    413: "The body is larger than this server accepts.",
    415: "The body is of another type than this server reads.",
    426: "This is a WebSocket; connect with an upgrade.",
    500: "A mistake of Anyon's own; `message` names the entry of its log.",
    502: "A program or another machine failed.",
    503: "The daemon is stopping, or its disk refuses to write.",
    504: "Somebody did not answer in time.",
}
"""Refusals that need no `error_data` to be understood."""
