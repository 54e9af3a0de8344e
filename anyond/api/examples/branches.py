"""Examples of the chapter Branches."""

from __future__ import annotations

from anyond.api import branches
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.http.answers import Renamed, TargetChanged
from anyond.model.http.bodies import (
    MergeStrategy,
    Merging,
    NewBranchName,
    NewPullRequest,
    NewTarget,
    Pushing,
    Rebasing,
)
from anyond.model.rows import AttachedPullRequest

EXAMPLES: Examples = {
    branches.CHANGE_TARGET_BRANCH: Example(
        send=NewTarget(new_target_branch="main"),
        answer=TargetChanged(new_target_branch="main", status=(5, 2)),
    ),
    branches.RENAME_BRANCH: Example(
        send=NewBranchName(new_branch_name="tea-timer"), answer=Renamed(branch="tea-timer")
    ),
    branches.REBASE_ON_TARGET_BRANCH: Example(send=Rebasing(new_base_branch="main")),
    branches.MERGE_TO_TARGET_BRANCH: Example(send=Merging(strategy=MergeStrategy.SQUASH)),
    branches.PUSH_BRANCH: Example(send=Pushing(force=False)),
    branches.CREATE_PULL_REQUEST: Example(
        send=NewPullRequest(title="Describe the tea timer", body="Times for every sort."),
        answer=things.PULL_REQUEST,
    ),
    branches.ATTACH_PULL_REQUEST: Example(
        answer=AttachedPullRequest(
            pr_attached=True, pr_url=things.PULL_REQUEST, pr_number=7, pr_status="open"
        )
    ),
}
