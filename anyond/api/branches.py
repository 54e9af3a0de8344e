"""The chapter Branches: how what an attempt has done gets into its target branch."""

from __future__ import annotations

from types import NoneType
from typing import Annotated

from msgspec import Meta

from anyond.api.declaration.endpoint import BodyCall, Call, Chapter
from anyond.api.declaration.params import OfAttempt
from anyond.api.declaration.refusal_groups import GIT, GITHUB, IN_PROGRESS, JOB
from anyond.model.access import Scope
from anyond.model.http.answers import Renamed, TargetChanged
from anyond.model.http.bodies import (
    Merging,
    NewBranchName,
    NewPullRequest,
    NewTarget,
    Pushing,
    Rebasing,
)
from anyond.model.refusals.merging import (
    MergeCommits,
    MergeConflicts,
    NothingToMerge,
    PullRequestOpen,
    RemoteTarget,
    SubmoduleDirty,
    SubmoduleNotPushed,
    TargetMoved,
    UnrelatedHistories,
)
from anyond.model.refusals.remotes import NoRemote, NotOnGitHub, Rejected
from anyond.model.refusals.requests import Impossible, NotFound
from anyond.model.refusals.withheld import ProgramsWithheld
from anyond.model.refusals.worktrees import Dirty, DirtyTarget, IgnoredFile, OffBranch
from anyond.model.rows import AttachedPullRequest

_JOB = (*JOB, *IN_PROGRESS, NotFound)
_PUSH = (
    *_JOB,
    *GITHUB,
    Dirty,
    OffBranch,
    SubmoduleDirty,
    SubmoduleNotPushed,
    NoRemote,
    Rejected,
    ProgramsWithheld,
)


class OfFile(OfAttempt, frozen=True, kw_only=True):
    """Requests for one file in the worktree of an attempt."""

    file_path: Annotated[str, Meta(description="Relative to the worktree.", examples=["README.md"])]


CHANGE_TARGET_BRANCH = BodyCall(
    method="POST",
    path="/api/task-attempts/{id}/change-target-branch",
    summary="Change target branch",
    granted_by=Scope.LAND,
    params=OfAttempt,
    body=NewTarget,
    answer=TargetChanged,
    refusals=(*GIT, NotFound, Impossible),
)
RENAME_BRANCH = BodyCall(
    method="POST",
    path="/api/task-attempts/{id}/rename-branch",
    summary="Rename branch",
    params=OfAttempt,
    body=NewBranchName,
    answer=Renamed,
    refusals=(*_JOB, PullRequestOpen),
)
REBASE_ON_TARGET_BRANCH = BodyCall(
    method="POST",
    path="/api/task-attempts/{id}/rebase",
    summary="Rebase on target branch",
    granted_by=Scope.LAND,
    params=OfAttempt,
    text="Both bases are the target branch unless they are named. Conflicts wait in the"
    " worktree until they are resolved or aborted.",
    body=Rebasing,
    optional=True,
    answer=NoneType,
    refusals=(
        *_JOB,
        MergeConflicts,
        Dirty,
        OffBranch,
        MergeCommits,
        UnrelatedHistories,
    ),
)
ABORT_CONFLICTS = Call(
    method="POST",
    path="/api/task-attempts/{id}/conflicts/abort",
    summary="Abort conflicts",
    granted_by=Scope.LAND,
    params=OfAttempt,
    text="Exactly the state before is restored.",
    answer=NoneType,
    refusals=_JOB,
)
DELETE_FILE = Call(
    method="POST",
    path="/api/task-attempts/{id}/delete-file",
    summary="Delete file",
    params=OfFile,
    text="The deletion is committed.",
    answer=NoneType,
    refusals=(*_JOB, Dirty, OffBranch, IgnoredFile),
)
MERGE_TO_TARGET_BRANCH = BodyCall(
    method="POST",
    path="/api/task-attempts/{id}/merge",
    summary="Merge to target branch",
    granted_by=Scope.LAND,
    params=OfAttempt,
    text="Made in memory and refused before anything changes, if it cannot be done. The"
    " task is done then.",
    body=Merging,
    optional=True,
    answer=NoneType,
    refusals=(
        *_JOB,
        MergeConflicts,
        NothingToMerge,
        OffBranch,
        Dirty,
        DirtyTarget,
        RemoteTarget,
        SubmoduleDirty,
        SubmoduleNotPushed,
        TargetMoved,
        MergeCommits,
        UnrelatedHistories,
    ),
)
PUSH_BRANCH = BodyCall(
    method="POST",
    path="/api/task-attempts/{id}/push",
    summary="Push branch",
    granted_by=Scope.LAND,
    params=OfAttempt,
    text="`force` overwrites only what has been seen. A token is used for GitHub alone.",
    body=Pushing,
    optional=True,
    answer=NoneType,
    refusals=_PUSH,
)
CREATE_PULL_REQUEST = BodyCall(
    method="POST",
    path="/api/task-attempts/{id}/pr",
    summary="Create pull request",
    granted_by=Scope.LAND,
    params=OfAttempt,
    text="Pushes, then opens one, or attaches the one that is open already. Answers its address.",
    body=NewPullRequest,
    answer=str,
    refusals=(*_PUSH, NotOnGitHub, NothingToMerge),
)
ATTACH_PULL_REQUEST = Call(
    method="POST",
    path="/api/task-attempts/{id}/pr/attach",
    summary="Attach pull request",
    granted_by=Scope.LAND,
    params=OfAttempt,
    text="Looks for a pull request of the branch that somebody else has made.",
    answer=AttachedPullRequest,
    refusals=(*_PUSH, NotOnGitHub),
)

CHAPTER = Chapter(
    "Branches",
    "How what an attempt has done gets into its target branch. Before anything that could destroy"
    " work, the complete state of the worktree is kept.",
    (
        CHANGE_TARGET_BRANCH,
        RENAME_BRANCH,
        REBASE_ON_TARGET_BRANCH,
        ABORT_CONFLICTS,
        DELETE_FILE,
        MERGE_TO_TARGET_BRANCH,
        PUSH_BRANCH,
        CREATE_PULL_REQUEST,
        ATTACH_PULL_REQUEST,
    ),
)
