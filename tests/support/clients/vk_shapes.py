"""What vibe-kanban's client reads of each answer, as shapes."""

from __future__ import annotations

from typing import Any, NamedTuple

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


class Maybe(NamedTuple):
    """What may be null."""

    shape: Any


class OneOf(NamedTuple):
    values: tuple[Any, ...]


PROJECT = {
    "id": str,
    "name": str,
    "git_repo_path": str,
    "setup_script": Maybe(str),
    "dev_script": Maybe(str),
    "cleanup_script": Maybe(str),
    "copy_files": Maybe(str),
    "created_at": str,
    "updated_at": str,
}

TASK = {
    "id": str,
    "project_id": str,
    "title": str,
    "description": Maybe(str),
    "status": OneOf(("todo", "inprogress", "inreview", "done", "cancelled")),
    "parent_task_attempt": Maybe(str),
    "created_at": str,
    "updated_at": str,
}

DISPLAYED_TASK = {
    **TASK,
    "has_in_progress_attempt": bool,
    "has_merged_attempt": bool,
    "last_attempt_failed": bool,
    "executor": str,
}

ATTEMPT = {
    "id": str,
    "task_id": str,
    "container_ref": Maybe(str),
    "branch": str,
    "target_branch": str,
    "executor": str,
    "worktree_deleted": bool,
    "setup_completed_at": Maybe(str),
    "created_at": str,
    "updated_at": str,
}

PROCESS = {
    "id": str,
    "task_attempt_id": str,
    "run_reason": OneOf(("setupscript", "cleanupscript", "codingagent", "devserver")),
    "executor_action": {"typ": {"type": str}, "next_action": Maybe(dict)},
    "status": OneOf(("running", "completed", "failed", "killed")),
    "exit_code": Maybe(int),
    "dropped": bool,
    "before_head_commit": Maybe(str),
    "after_head_commit": Maybe(str),
    "started_at": str,
    "completed_at": Maybe(str),
    "created_at": str,
    "updated_at": str,
}

DRAFT = {
    "task_attempt_id": str,
    "draft_type": OneOf(("follow_up", "retry")),
    "retry_process_id": Maybe(str),
    "prompt": str,
    "queued": bool,
    "variant": Maybe(str),
    "image_ids": list,
    "version": int,
}

BRANCH = {"name": str, "is_current": bool, "is_remote": bool, "last_commit_date": str}

STATUS = {
    "commits_ahead": int,
    "commits_behind": int,
    "has_uncommitted_changes": bool,
    "head_oid": str,
    "uncommitted_count": int,
    "untracked_count": int,
    "target_branch_name": str,
    "remote_commits_ahead": int,
    "remote_commits_behind": int,
    "merges": list,
    "is_rebase_in_progress": bool,
    "conflict_op": Maybe(str),
    "conflicted_files": [str],
}

ENTRY = {"name": str, "path": str, "is_directory": bool, "is_git_repo": bool}

IMAGE = {"id": str, "file_path": str, "original_name": str, "mime_type": str,
         "size_bytes": int, "hash": str, "created_at": str, "updated_at": str}  # fmt: skip

TAG = {"id": str, "tag_name": str, "content": str, "created_at": str, "updated_at": str}

CONFIG = {
    "config_version": str,
    "theme": str,
    "executor_profile": {"executor": str, "variant": Maybe(str)},
    "disclaimer_acknowledged": bool,
    "onboarding_acknowledged": bool,
    "github_login_acknowledged": bool,
    "telemetry_acknowledged": bool,
    "notifications": {"sound_enabled": bool, "push_enabled": bool, "sound_file": str},
    "editor": {"editor_type": str, "custom_command": Maybe(str)},
    "github": {"pat": Maybe(str), "oauth_token": Maybe(str), "default_pr_base": Maybe(str)},
    "analytics_enabled": Maybe(bool),
    "workspace_dir": Maybe(str),
    "last_app_version": Maybe(str),
    "show_release_notes": bool,
    "language": str,
    "git_branch_prefix": str,
    "showcases": {"seen_features": [str]},
}

INFO = {
    "config": CONFIG,
    "analytics_user_id": str,
    "executors": {"CLAUDE_CODE": {"DEFAULT": dict}},
    "environment": {"os_type": str, "os_version": str, "os_architecture": str, "bitness": str},
    "capabilities": dict,
}
