"""One refusal of each type, as they are raised; a story of a tea shop's timer.

A refusal that takes no arguments is its own example.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import Parameter, signature
from pathlib import Path

from anyond.api.declaration import samples
from anyond.api.examples import things
from anyond.model.access import Scope
from anyond.model.errors import AnyondError
from anyond.model.refusals import every
from anyond.model.refusals.access import (
    BeyondOwnScope,
    NotBelow,
    NotForAgents,
    OutsideProjects,
    ScopeMissing,
)
from anyond.model.refusals.daemon import AgentsAtWork, AlreadyRunning, Gone, ServiceConflict
from anyond.model.refusals.drafts import DraftQueued, EmptyDraft, StaleDraft
from anyond.model.refusals.files import (
    BrokenConfig,
    ChangedMeanwhile,
    ImageInUse,
    ImageTooLarge,
    Unreadable,
)
from anyond.model.refusals.git import (
    DubiousOwnership,
    FilterMissing,
    GitConfigBroken,
    GitFailed,
    HeadBroken,
    HookRefused,
    Locked,
    ObjectsMissing,
    RepositoryMissing,
    SigningFailed,
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
from anyond.model.refusals.programs import ProgramMissing, TooManyOpenFiles
from anyond.model.refusals.remotes import (
    InsufficientPermissions,
    NoRemote,
    NotOnGitHub,
    RateLimited,
    Rejected,
    RepositoryNotFound,
    Slow,
    Unexpected,
    Unreachable,
)
from anyond.model.refusals.requests import (
    Impossible,
    Invalid,
    NotFound,
    NotLetIn,
    SetupNotSupported,
)
from anyond.model.refusals.runs import (
    AlreadyDecided,
    AlreadyStarted,
    Busy,
    NoDevScript,
    NotStarted,
    Running,
    Stopped,
)
from anyond.model.refusals.sign_in import (
    DeviceFlowRefused,
)
from anyond.model.refusals.withheld import ProgramsWithheld
from anyond.model.refusals.worktrees import (
    FINISH_FIRST,
    BranchCheckedOut,
    BranchMoved,
    Dirty,
    DirtyTarget,
    IgnoredFile,
    NameTaken,
    OffBranch,
    PathTaken,
    WorktreeElsewhere,
    WorktreeLocked,
    operation_in_progress,
)
from anyond.model.rows import ApprovalStatus

_REPOSITORY = Path(things.REPOSITORY)
_WORKTREE = Path(samples.WORKTREE)
_FILES = ["README.md"]
_LIBRARY = "vendor/library"

_WITH_ARGUMENTS: tuple[AnyondError, ...] = (
    # requests
    Invalid("title", "must not be blank"),
    NotLetIn("The Host 'tea.example' is not this daemon's. Allow it with --allowed-host."),
    ScopeMissing(Scope.LAND, "phone"),
    NotForAgents(samples.PROCESS_ID, "Merge to target branch"),
    NotBelow("Agents make tasks in the project only in which they work."),
    OutsideProjects("phone"),
    BeyondOwnScope("scopes"),
    NotFound("task", samples.TASK_ID),
    Impossible(
        "executor_profile_id.variant",
        "There is no variant SWIFT of DEMO; there are DEFAULT.",
    ),
    SetupNotSupported("executor_profile_id.executor", "DEMO"),
    # programs
    GitFailed(("checkout",), 128, "fatal: unable to read tree"),
    ProgramMissing("claude", ["/usr/bin"], "Install it: npm install -g @anthropic-ai/claude-code"),
    TooManyOpenFiles(1024),
    Locked(_REPOSITORY / ".git/index.lock"),
    HookRefused("pre-commit", "the commit", "README.md: the price is missing"),
    FilterMissing("lfs", "git-lfs"),
    SigningFailed("gpg: no secret key"),
    HeadBroken(f"{_REPOSITORY}/.git/HEAD"),
    RepositoryMissing(f"{_REPOSITORY}"),
    ObjectsMissing("could not fetch 8c34a992 from promisor remote"),
    GitConfigBroken(f"bad config line 3 in file {_REPOSITORY}/.git/config"),
    DubiousOwnership(things.REPOSITORY),
    ProgramsWithheld(
        "Git was not let go there (transport 'file' not allowed).", samples.PROJECT_ID
    ),
    # worktrees and branches
    *(
        operation_in_progress(op, _WORKTREE, FINISH_FIRST)
        for op in ("rebase", "merge", "cherry_pick", "revert")
    ),
    Dirty.uncommitted(_FILES),
    DirtyTarget.overwritten("main", _REPOSITORY, _FILES),
    OffBranch(_WORKTREE, "experiment", things.BRANCH),
    BranchCheckedOut(things.BRANCH, _REPOSITORY),
    BranchMoved(
        f"The branch {things.BRANCH} was moved from 4b825dc642cb to 9fceb02d0ae5 elsewhere",
        _WORKTREE,
        "error: Entry 'README.md' not uptodate. Cannot merge.",
    ),
    WorktreeElsewhere(_WORKTREE, "/home/ada/.local/share/anyon"),
    WorktreeLocked(_WORKTREE),
    NameTaken.by_tag("tests", samples.TAG_ID),
    PathTaken.by_project(_REPOSITORY, "Tea", samples.PROJECT_ID),
    IgnoredFile("node_modules/tea.js"),
    # merging
    MergeConflicts("rebase", _FILES),
    NothingToMerge.into("main", things.BRANCH),
    TargetMoved("main"),
    RemoteTarget("origin/main"),
    UnrelatedHistories("merge", shallow=False),
    MergeCommits(_FILES),
    SubmoduleDirty([_LIBRARY]),
    SubmoduleNotPushed([(_LIBRARY, samples.COMMIT)], "they are on none of its remotes"),
    PullRequestOpen(things.PULL_REQUEST),
    # runs
    Busy.running("codingagent"),
    Stopped("before it had started"),
    NotStarted(KeyError("tea")),
    Running(samples.PROCESS_ID),
    AlreadyStarted(samples.PROCESS_ID),
    NoDevScript("Tea"),
    AlreadyDecided(ApprovalStatus.APPROVED),
    StaleDraft(things.DRAFT),
    DraftQueued(things.DRAFT),
    EmptyDraft(things.DRAFT),
    # files
    ImageInUse([samples.TASK_ID, things.TASK.id]),
    ImageTooLarge(20 * 1024**2),
    Unreadable("/home/ada/private", "Permission denied", "path"),
    BrokenConfig("/home/ada/.claude.json", "Line 3 is no JSON."),
    ChangedMeanwhile("/home/ada/.claude.json"),
    # other machines
    InsufficientPermissions("Resource not accessible by personal access token"),
    RepositoryNotFound("ada/tea"),
    Rejected("non_fast_forward", things.BRANCH, "fetch first"),
    NoRemote.of(_REPOSITORY),
    NotOnGitHub("The remote origin", "https://github.com"),
    RateLimited(60),
    Unreachable("GitHub", "Name or service not known"),
    Slow("GitHub", 30),
    Unexpected("GitHub", "status 500"),
    DeviceFlowRefused("GitHub refuses the sign-in: no such grant", "unsupported_grant_type"),
    # what no answer says
    Gone(3, oldest=40, end=43),
    AlreadyRunning(4711, "http://127.0.0.1:8096"),
    AgentsAtWork(2),
    ServiceConflict("There is no service. `anyon service install` makes one."),
)


def _by_themselves() -> Iterator[AnyondError]:
    """Those that say the same whenever they are raised."""
    covered = {example.type for example in _WITH_ARGUMENTS}
    for type_, refusal in every().items():
        given = signature(refusal).parameters.values()
        if type_ not in covered and all(one.default is not Parameter.empty for one in given):
            yield refusal()  # type: ignore[call-arg]  # it wants no sentence


REFUSALS: tuple[AnyondError, ...] = (*_WITH_ARGUMENTS, *_by_themselves())
"""One of each type."""
