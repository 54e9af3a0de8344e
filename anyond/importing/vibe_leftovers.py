"""Contents of a vibe-kanban database that are not imported: reported, and never guessed."""

from __future__ import annotations

from collections.abc import Iterator

from anyond.importing.vibe_tables import Tables, quoted

_MOMENTS = "created_at updated_at"
_ATTEMPT = (
    "id task_id container_ref worktree_path branch target_branch base_branch executor"
    f" base_coding_agent profile worktree_deleted setup_completed_at {_MOMENTS}"
)
_SCRIPTS = "setup_script dev_script dev_server_script cleanup_script copy_files"
_TURN = (
    f"id task_attempt_id execution_process_id agent_session_id session_id prompt summary {_MOMENTS}"
)
_DRAFT = (
    f"id task_attempt_id draft_type prompt variant queued sending version retry_process_id"
    f" {_MOMENTS}"
)
_KNOWN = {
    "projects": f"id name git_repo_path {_SCRIPTS} {_MOMENTS}",
    "repos": f"id path name display_name {_SCRIPTS} {_MOMENTS}",
    "project_repos": f"id project_id repo_id {_SCRIPTS} {_MOMENTS}",
    "tasks": "id project_id title description status parent_task_attempt parent_workspace_id"
    f" {_MOMENTS}",
    "task_attempts": _ATTEMPT,
    "workspaces": _ATTEMPT,
    "attempt_repos": f"id attempt_id repo_id target_branch {_MOMENTS}",
    "workspace_repos": f"id workspace_id repo_id target_branch {_MOMENTS}",
    "sessions": f"id workspace_id executor {_MOMENTS}",
    "execution_processes": "id task_attempt_id session_id run_reason executor_action"
    " executor_action_type status exit_code dropped masked_by_restore before_head_commit"
    f" after_head_commit started_at completed_at {_MOMENTS}",
    "execution_process_repo_states": "id execution_process_id repo_id before_head_commit"
    f" after_head_commit merge_commit {_MOMENTS}",
    "execution_process_logs": "execution_id logs byte_size inserted_at",
    "executor_sessions": _TURN,
    "coding_agent_turns": _TURN,
    "merges": "id task_attempt_id workspace_id repo_id merge_type merge_commit target_branch_name"
    " pr_number pr_url pr_status pr_merged_at pr_merge_commit_sha created_at",
    "images": f"id file_path original_name mime_type size_bytes hash {_MOMENTS}",
    "task_images": "id task_id image_id created_at",
    "tags": f"id tag_name content {_MOMENTS}",
    "task_templates": f"id project_id template_name description {_MOMENTS}",
    "drafts": _DRAFT,
    "follow_up_drafts": _DRAFT,
}
"""All that is imported, and what needs no words: numbers and times that Anyon has its own of."""


def sentences(tables: Tables) -> Iterator[str]:
    """A sentence on each sort of thing that is left where it is."""
    for table in sorted(tables.names):
        if table not in _KNOWN:
            if count := tables.count(table):
                yield f"table {table}: {count} rows of a sort that Anyon does not know"
            continue
        for column in sorted(tables.columns(table) - set(_KNOWN[table].split())):
            # Where nobody ever chose anything, there is nothing to tell.
            chosen = f"{quoted(column)} NOT IN ('', 0, '[]', '{{}}')"
            if count := tables.count(table, chosen):
                yield f"column {table}.{column}: {count} rows of a sort that Anyon does not know"
    yield from _without_owner(tables)


def _without_owner(tables: Tables) -> Iterator[str]:
    """Count rows whose owner is not in the database, so that nobody would ever come to them."""
    attempt, sessions = tables.attempts, tables.has("execution_processes", "session_id")
    owner, key = ("sessions", "session_id") if sessions else (attempt, "task_attempt_id")
    merged = "workspace_id" if tables.has("merges", "workspace_id") else "task_attempt_id"
    for many, table, column, of, one in (
        ("attempts", attempt, "task_id", "tasks", "task"),
        ("sessions", "sessions", "workspace_id", attempt, "attempt"),
        ("processes", "execution_processes", key, owner, "attempt"),
        ("merges", "merges", merged, attempt, "attempt"),
        ("pieces of logs", "execution_process_logs", "execution_id", "execution_processes",
         "process"),
    ):  # fmt: skip
        if tables.has(table, column) and tables.has(of):
            missing = f'NOT EXISTS (SELECT 1 FROM "{of}" o WHERE o.id = "{table}"."{column}")'
            if count := tables.count(table, missing):
                yield f"{count} {many} belong to no {one} of this database"
    if tables.has("images") and tables.has("task_images"):
        unused = "NOT EXISTS (SELECT 1 FROM task_images o WHERE o.image_id = images.id)"
        if count := tables.count("images", unused):
            yield f"{count} images belong to no task of this database"
