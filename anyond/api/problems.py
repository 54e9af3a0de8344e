"""Every refusal that clients can match on, and which of them come together."""

from __future__ import annotations

from typing import Any

from msgspec import UnsetType

from anyond.api import samples
from anyond.api.endpoint import Problem
from anyond.model.drafts import Draft
from anyond.model.rows import ApprovalStatus

_FILES = ("files", list[str])


def _conflict(type: str, text: str, *more: tuple[str, Any]) -> Problem:
    return Problem(409, type, text, (("message", str), *more))


INVALID = Problem(
    400,
    "invalid",
    "Something is malformed; `field` names it.",
    (("field", str),),
    "title: must not be blank",
)
FORBIDDEN = Problem(403, "forbidden", "Such a Host or Origin is not let in.")
NOT_FOUND = Problem(
    404,
    "not_found",
    "There is no such thing; `what` says which sort.",
    (("what", str),),
    f"There is no task {samples.TASK_ID}.",
)
IMPOSSIBLE = Problem(
    422,
    "impossible",
    "Well-formed, but there is no such branch, agent or variant.",
    (("field", str),),
    "executor_profile_id.variant: There is no variant SWIFT of DEMO; there are DEFAULT.",
)
PROGRAM_MISSING = Problem(
    422,
    "program_missing",
    "A program is needed that is not installed; `install` tells how to get it.",
    (("program", str), ("install", str)),
)
TOOL_FAILED = Problem(502, "tool_failed", "Git or another program failed.", (("tool", str),))

# ---------------------------------------------------------------- worktrees and branches

BUSY = _conflict("busy", "Something is at work in the attempt. Stop it first, or queue a draft.")
IN_PROGRESS = tuple(
    _conflict(f"{op}_in_progress", f"A {op.replace('_', '-')} waits to be finished or aborted.")
    for op in ("rebase", "merge", "cherry_pick", "revert")
)
DIRTY = _conflict("dirty", "There are changes that are not committed; `files` names them.", _FILES)
DIRTY_TARGET = _conflict(
    "dirty_target", "A checkout of the target has local changes that are in the way.", _FILES
)
MERGE_CONFLICTS = _conflict(
    "merge_conflicts", "The two histories contradict each other in `files`.", ("op", str), _FILES
)
NOTHING_TO_MERGE = _conflict("nothing_to_merge", "The target has everything already.")
NAME_TAKEN = _conflict("name_taken", "Another one has that name.", ("tag_id", str | UnsetType))
PATH_TAKEN = _conflict(
    "path_taken", "Something else is there, or has it.", ("project_id", str | UnsetType)
)
TOO_MANY_OPEN_FILES = Problem(
    503,
    "too_many_open_files",
    "Nearly all files that Anyon may have open are in use, so no agent is started.",
    (("message", str),),
)
GIT_PROGRAMS_CHANGED = _conflict(
    "git_programs_changed", "There is something else by now than what `digest` stands for."
)
NO_WORKTREE = _conflict("no_worktree", "The attempt has no worktree yet.")
BRANCH_CHECKED_OUT = _conflict("branch_checked_out", "Another worktree has the branch checked out.")
LOCKED = _conflict(
    "locked",
    "Another git keeps holding `lock`; nothing was changed.",
    ("lock", str),
)
HOOK_REFUSED = _conflict(
    "hook_refused",
    "A hook of the repository said no; `message` has its words, `hook` its name if that is known.",
    ("hook", str | UnsetType),
)
FILTER_FAILED = _conflict(
    "filter_failed",
    "A filter that files go through is not there (`program` was not found) or failed.",
    ("filter", str | UnsetType),
    ("program", str | UnsetType),
)
SIGNING_FAILED = _conflict(
    "signing_failed", "A commit was to be signed, and could not be; `message` says why."
)
HEAD_BROKEN = _conflict(
    "head_broken", "The HEAD of the repository is missing or damaged; `message` says which file."
)
GIT_CONFIG_BROKEN = _conflict(
    "git_config_broken", "Git cannot read its configuration; `message` says which file and line."
)
DUBIOUS_OWNERSHIP = _conflict(
    "dubious_ownership", "The repository belongs to somebody else; `message` says how to allow it."
)
OFF_BRANCH = _conflict("off_branch", "The worktree has something else checked out than its branch.")
BRANCH_MOVED = _conflict(
    "branch_moved", "The branch was moved elsewhere, and uncommitted changes are in the way."
)
MERGE_COMMITS = _conflict(
    "merge_commits",
    "Merge commits have changed `files` themselves, which a rebase would leave out.",
    _FILES,
)
SUBMODULE_DIRTY = _conflict(
    "submodule_dirty",
    "The submodules in `submodules` have edits that are in no commit of theirs.",
    ("submodules", list[str]),
)
SUBMODULE_NOT_PUSHED = _conflict(
    "submodule_not_pushed",
    "Commits of the submodules in `submodules` are where nobody else could get them.",
    ("submodules", list[str]),
)
UNRELATED = _conflict("unrelated_histories", "The two branches have no commit in common.")
TARGET_MOVED = _conflict("target_moved", "The target branch keeps moving.")
REMOTE_TARGET = _conflict(
    "remote_target", "The target is a branch of a remote; make a pull request."
)
IGNORED_FILE = _conflict("ignored_file", "Git ignores that file, so its deletion is no change.")
PULL_REQUEST_OPEN = _conflict("pull_request_open", "An open pull request is bound to the name.")

# ---------------------------------------------------------------- runs, messages, pictures

STOPPED = _conflict("stopped", "It was stopped before it had started.")
NOT_STARTED = _conflict(
    "not_started", "Its start failed by a mistake of Anyon's; the log of the process says how."
)
NO_AGENT = _conflict("no_agent", "No agent has run in this attempt yet.")
DROPPED = _conflict("dropped", "That process was already replaced.")
NO_DEV_SCRIPT = _conflict("no_dev_script", "The project has no dev script.")
SETUP_NOT_SUPPORTED = Problem(
    422, "setup_not_supported", "That agent cannot be set up from here.", (("field", str),)
)
ALREADY_DECIDED = _conflict(
    "already_decided", "The question was answered differently before.", ("status", ApprovalStatus)
)
_DRAFT = ("draft", Draft)
STALE_DRAFT = _conflict("stale_draft", "It has changed meanwhile; `draft` is how it is.", _DRAFT)
DRAFT_QUEUED = _conflict("draft_queued", "It is queued; take it back to change it.", _DRAFT)
EMPTY_DRAFT = _conflict("empty_draft", "It is blank: there is nothing to send.", _DRAFT)
IMAGE_IN_USE = _conflict(
    "image_in_use", "Several tasks show it; `force` deletes it.", ("task_ids", list[str])
)
IMAGE_TOO_LARGE = Problem(413, "too_large", "The image is larger than 20 MiB.")
NO_IMAGE = Problem(
    415, "unsupported_image", "Neither PNG, JPEG, GIF, WebP nor SVG, by its content."
)
UNREADABLE = Problem(403, "unreadable", "The directory cannot be read.", (("field", str),))
BROKEN_CONFIG = _conflict("broken_config", "The agent's own file cannot be read.", ("path", str))
CHANGED_MEANWHILE = _conflict("changed_meanwhile", "Somebody else keeps writing that file.")

# ---------------------------------------------------------------- GitHub and other remotes

GIT_PROGRAMS_WITHHELD = _conflict(
    "git_programs_withheld",
    "It needs what a run has changed of what git runs, and nobody has accepted that.",
    ("project_id", str),
)
NO_REMOTE = _conflict("no_remote", "There is nowhere to push to.")
NOT_ON_GITHUB = _conflict(
    "not_on_github", "The remote is not a repository of the configured GitHub."
)
TOKEN_MISSING = _conflict(
    "token_missing", "No GitHub token is set, or git has no login for the remote."
)
TOKEN_INVALID = _conflict(
    "token_invalid", "GitHub does not accept the token, or the remote the login that git has."
)
NO_PERMISSION = _conflict(
    "insufficient_permissions", "The other side does not let this token do it."
)
NO_REPOSITORY = _conflict("repo_not_found_or_no_access", "No such repository, or no access to it.")
REJECTED = _conflict(
    "rejected",
    "The push was refused; `reason` is `non_fast_forward`, `stale`, `remote` or `local_hook`.",
    ("reason", str),
)
CLIENT_ID_MISSING = _conflict("client_id_missing", "No OAuth app is configured to sign in with.")
FLOW_REFUSED = _conflict(
    "device_flow_refused", "GitHub refuses the sign-in.", ("error", str | UnsetType | None)
)
NO_FLOW = _conflict("no_device_flow", "No sign-in has been started.")
EXPIRED = _conflict("expired_token", "The code has expired before it was entered.")
DENIED = _conflict("access_denied", "The sign-in was refused at GitHub.")
RATE_LIMITED = Problem(
    503,
    "rate_limited",
    "Too much was asked of GitHub.",
    (("message", str), ("retry_after_s", int)),
)
UNREACHABLE = Problem(503, "unreachable", "There is no way to the other side.", (("message", str),))
SLOW = Problem(
    504, "timed_out", "No answer in time; it may have happened nevertheless.", (("message", str),)
)
REMOTE_FAILED = Problem(
    502, "remote_failed", "The other side gave an unexpected answer.", (("message", str),)
)

# ---------------------------------------------------------------- what comes together

GIT = (
    TOOL_FAILED,
    PROGRAM_MISSING,
    LOCKED,
    HOOK_REFUSED,
    FILTER_FAILED,
    SIGNING_FAILED,
    HEAD_BROKEN,
    GIT_CONFIG_BROKEN,
    DUBIOUS_OWNERSHIP,
)
"""Wherever git is asked."""
WORKTREE = (
    *GIT,
    NO_WORKTREE,
    BRANCH_CHECKED_OUT,
    BRANCH_MOVED,
    NAME_TAKEN,
    PATH_TAKEN,
    IMPOSSIBLE,
)
"""Wherever a worktree is needed, which may have to be made again."""
JOB = (*WORKTREE, BUSY, STOPPED, NOT_STARTED, TOO_MANY_OPEN_FILES)
"""Whatever has to be alone in a worktree."""
NETWORK = (RATE_LIMITED, UNREACHABLE, SLOW, REMOTE_FAILED)
GITHUB = (*NETWORK, TOKEN_MISSING, TOKEN_INVALID, NO_PERMISSION, NO_REPOSITORY)

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
