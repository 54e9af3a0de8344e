"""Declarations of the rest of Task Attempts: what is done to its branch, here and at GitHub."""

from __future__ import annotations

from anyond.http.openapi import examples, problems
from anyond.http.openapi.chapters.attempts import KEY
from anyond.http.openapi.operation import Chapter, Operation, needed
from anyond.http.routes.attempts import Merging
from anyond.http.routes.github import Pushing
from anyond.model.answers import DeviceFlow, Renamed, TargetChanged
from anyond.model.bodies import (
    MergeStrategy,
    NewBranchName,
    NewPullRequest,
    NewTarget,
    Rebasing,
)
from anyond.model.rows import AttachedPullRequest

_JOB = (*problems.JOB, *problems.IN_PROGRESS, problems.NOT_FOUND)
_PUSH = (
    *_JOB,
    *problems.GITHUB,
    problems.DIRTY,
    problems.OFF_BRANCH,
    problems.SUBMODULE_DIRTY,
    problems.SUBMODULE_NOT_PUSHED,
    problems.NO_REMOTE,
    problems.REJECTED,
    problems.GIT_PROGRAMS_WITHHELD,
)

LANDING = Chapter(
    "Branches",
    "How what an attempt has done gets into its target branch. Before anything that could destroy"
    " work, the complete state of the worktree is kept.",
    (
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/change-target-branch",
            summary="Change target branch",
            key=KEY,
            body=NewTarget,
            send=NewTarget(new_target_branch="main"),
            answer=TargetChanged,
            example=TargetChanged(new_target_branch="main", status=(5, 2)),
            problems=(*problems.GIT, problems.NOT_FOUND, problems.IMPOSSIBLE),
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/rename-branch",
            summary="Rename branch",
            key=KEY,
            body=NewBranchName,
            send=NewBranchName(new_branch_name="tea-timer"),
            answer=Renamed,
            example=Renamed(branch="tea-timer"),
            problems=(*_JOB, problems.PULL_REQUEST_OPEN),
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/rebase",
            summary="Rebase on target branch",
            text="Both bases are the target branch unless they are named. Conflicts wait in the"
            " worktree until they are resolved or aborted.",
            key=KEY,
            body=Rebasing,
            optional=True,
            send=Rebasing(new_base_branch="main"),
            problems=(
                *_JOB,
                problems.MERGE_CONFLICTS,
                problems.DIRTY,
                problems.OFF_BRANCH,
                problems.MERGE_COMMITS,
                problems.UNRELATED,
            ),
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/conflicts/abort",
            summary="Abort conflicts",
            text="Exactly the state before is restored.",
            key=KEY,
            problems=_JOB,
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/delete-file",
            summary="Delete file",
            text="The deletion is committed.",
            key=KEY,
            query=(needed("file_path", str, "Relative to the worktree.", "README.md"),),
            problems=(*_JOB, problems.DIRTY, problems.OFF_BRANCH, problems.IGNORED_FILE),
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/merge",
            summary="Merge to target branch",
            text="Made in memory and refused before anything changes, if it cannot be done. The"
            " task is done then.",
            key=KEY,
            body=Merging,
            optional=True,
            send=Merging(strategy=MergeStrategy.SQUASH),
            problems=(
                *_JOB,
                problems.MERGE_CONFLICTS,
                problems.NOTHING_TO_MERGE,
                problems.OFF_BRANCH,
                problems.DIRTY,
                problems.DIRTY_TARGET,
                problems.REMOTE_TARGET,
                problems.SUBMODULE_DIRTY,
                problems.SUBMODULE_NOT_PUSHED,
                problems.TARGET_MOVED,
                problems.MERGE_COMMITS,
                problems.UNRELATED,
            ),
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/push",
            summary="Push branch",
            text="`force` overwrites only what has been seen. A token is used for GitHub alone.",
            key=KEY,
            body=Pushing,
            optional=True,
            send=Pushing(force=False),
            problems=_PUSH,
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/pr",
            summary="Create pull request",
            text="Pushes, then opens one, or attaches the one that is open already. Answers its"
            " address.",
            key=KEY,
            body=NewPullRequest,
            send=NewPullRequest(title="Describe the tea timer", body="Times for every sort."),
            answer=str,
            example=examples.PULL_REQUEST,
            problems=(*_PUSH, problems.NOT_ON_GITHUB, problems.NOTHING_TO_MERGE),
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/pr/attach",
            summary="Attach pull request",
            text="Looks for a pull request of the branch that somebody else has made.",
            key=KEY,
            answer=AttachedPullRequest,
            example=AttachedPullRequest(
                pr_attached=True, pr_url=examples.PULL_REQUEST, pr_number=7, pr_status="open"
            ),
            problems=(*_PUSH, problems.NOT_ON_GITHUB),
        ),
    ),
)

AUTHENTICATION = Chapter(
    "Authentication",
    "Signing in with GitHub; the daemon itself has no accounts.",
    (
        Operation(
            method="POST",
            path="/api/auth/github/device/start",
            summary="Start GitHub device flow",
            answer=DeviceFlow,
            example=DeviceFlow(
                user_code="ABCD-1234",
                verification_uri="https://github.com/login/device",
                expires_in=899,
                interval=5,
            ),
            problems=(*problems.NETWORK, problems.CLIENT_ID_MISSING, problems.FLOW_REFUSED),
        ),
        Operation(
            method="POST",
            path="/api/auth/github/device/poll",
            summary="Poll device flow",
            text="`SUCCESS` once the code was entered: the token is kept then. Else"
            " `AUTHORIZATION_PENDING`, or `SLOW_DOWN` if this was asked too early.",
            answer=str,
            example="AUTHORIZATION_PENDING",
            problems=(
                *problems.GITHUB,
                problems.NO_FLOW,
                problems.FLOW_REFUSED,
                problems.EXPIRED,
                problems.DENIED,
            ),
        ),
        Operation(
            method="GET",
            path="/api/auth/github/check",
            summary="Check GitHub token",
            text="`VALID`, or `INVALID`, also if there is none.",
            answer=str,
            example="VALID",
            problems=problems.GITHUB,
        ),
    ),
)
