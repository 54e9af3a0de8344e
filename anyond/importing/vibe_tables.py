"""The tables of vibe-kanban 0.0.9x to 0.0.14x, and those that one database has.

Three times the same facts moved: branches and commits went from projects, attempts and processes to
tables of repositories; attempts became workspaces with sessions; templates became tags. A query
here names the newest place first and falls back to the older ones; a place that does not exist is
NULL.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator, Sequence, Set

from anyond.model.refusals.requests import Invalid


class Tables:
    """The tables and columns of one database.

    Raises:
        Invalid: it is not one of vibe-kanban, or one of another age.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.startswith(("sqlite_", "_sqlx"))
        ]
        self._columns = {
            name: {row[1] for row in connection.execute(f"PRAGMA table_info({quoted(name)})")}
            for name in names
        }
        missing = [
            name for name in ("projects", "tasks", "execution_processes") if name not in names
        ]
        if not ("task_attempts" in names or "workspaces" in names):
            missing.append("task_attempts")
        if missing:
            raise Invalid(
                "path",
                "this is not a database of vibe-kanban 0.0.9x to 0.0.14x: it has no table "
                + ", ".join(missing),
            )

    @property
    def migration(self) -> str:
        """The newest step of its schema that it remembers, for the report."""
        try:
            row = self.connection.execute(
                "SELECT version, description FROM _sqlx_migrations ORDER BY version DESC LIMIT 1"
            ).fetchone()
        except sqlite3.Error:
            row = None
        return "unknown" if row is None else f"{row[0]} ({row[1]})"

    @property
    def names(self) -> Set[str]:
        """All tables of it."""
        return self._columns.keys()

    def columns(self, table: str) -> set[str]:
        """Those of a table."""
        return self._columns[table]

    def count(self, table: str, condition: str = "1") -> int:
        """Count the rows of `table` that meet `condition`, which is SQL."""
        [(count,)] = self._rows(f"SELECT count(*) FROM {quoted(table)} WHERE {condition}")
        return int(str(count))

    def has(self, table: str, column: str | None = None) -> bool:
        found = self._columns.get(table)
        return found is not None and (column is None or column in found)

    def one_of(self, *columns: str) -> str:
        """The first of columns (`alias.column` or `table:alias.column`) that exists; else NULL."""
        for place in columns:
            table, _, rest = place.partition(":")
            if self.has(table, rest.rpartition(".")[2]):
                return rest
        return "NULL"

    def index(self) -> None:
        """Make the look-ups quick, whatever indexes this version had; only for a copy."""
        for table, columns in (
            ("execution_process_logs", ("execution_id",)),
            ("executor_sessions", ("execution_process_id",)),
            ("coding_agent_turns", ("execution_process_id",)),
            ("execution_process_repo_states", ("execution_process_id",)),
            ("execution_processes", ("task_attempt_id", "session_id")),
            ("task_attempts", ("task_id",)),
            ("workspaces", ("task_id",)),
            ("sessions", ("workspace_id",)),
            ("merges", ("task_attempt_id", "workspace_id")),
            ("task_images", ("task_id",)),
        ):
            for column in columns:
                if self.has(table, column):
                    self.connection.execute(
                        f"CREATE INDEX anyon_{table}_{column} ON {table} ({column})"
                    )

    # ------------------------------------------------------------ queries

    @property
    def attempts(self) -> str:
        """The name of the table of attempts."""
        return "workspaces" if self.has("workspaces") else "task_attempts"

    def projects(self) -> Iterator[tuple[object, ...]]:
        """id, name, path, four scripts, created, updated, number of repositories."""
        p, many = "projects:p.", self.has("project_repos") and self.has("repos")
        link, repo = "project_repos:pr.", "repos:r."
        columns = ["p.id", "p.name"]
        columns.append("r.path" if many else self.one_of(f"{p}git_repo_path"))
        for name in ("setup_script", "dev_script", "cleanup_script", "copy_files"):
            newer = (f"{link}{name}", f"{repo}{name}") if many else ()
            older = (f"{repo}dev_server_script",) if many and name == "dev_script" else ()
            columns.append(_first(self._existing(*newer, *older, f"{p}{name}")))
        columns += ["p.created_at", "p.updated_at"]
        columns.append("count(r.id)" if many else "1")
        joins = (
            " LEFT JOIN project_repos pr ON pr.project_id = p.id"
            " LEFT JOIN repos r ON r.id = pr.repo_id GROUP BY p.id"
            if many
            else ""
        )
        return self._rows(f"SELECT {', '.join(columns)} FROM projects p{joins} ORDER BY p.rowid")

    def tasks(self) -> Iterator[tuple[object, ...]]:
        """id, project, title, description, status, parent attempt, created, updated."""
        parent = self.one_of("tasks:t.parent_workspace_id", "tasks:t.parent_task_attempt")
        return self._rows(
            "SELECT t.id, t.project_id, t.title, t.description, t.status,"
            f" {parent}, t.created_at, t.updated_at FROM tasks t ORDER BY t.created_at, t.rowid"
        )

    def attempts_of(self, task: object) -> Iterator[tuple[object, ...]]:
        """id, path, branch, target, executor, worktree gone, set up at, created, updated, repo."""
        table = self.attempts
        a = f"{table}:a."
        link = "workspace_repos" if self.has("workspace_repos") else "attempt_repos"
        key = "workspace_id" if self.has(link, "workspace_id") else "attempt_id"
        joins, target, repo = "", self.one_of(f"{a}target_branch", f"{a}base_branch"), "NULL"
        if self.has(link) and self.has("repos"):
            joins = f" LEFT JOIN {link} l ON l.{key} = a.id LEFT JOIN repos r ON r.id = l.repo_id"
            target, repo = "l.target_branch", "r.name"
        executor = self.one_of(f"{a}executor", f"{a}base_coding_agent", f"{a}profile")
        if executor == "NULL" and self.has("sessions"):
            executor = (
                "(SELECT s.executor FROM sessions s WHERE s.workspace_id = a.id"
                " AND s.executor IS NOT NULL ORDER BY s.created_at DESC LIMIT 1)"
            )
        columns = [
            "a.id",
            self.one_of(f"{a}container_ref", f"{a}worktree_path"),
            "a.branch",
            target,
            executor,
            self.one_of(f"{a}worktree_deleted"),
            self.one_of(f"{a}setup_completed_at"),
            "a.created_at",
            "a.updated_at",
            repo,
        ]
        return self._rows(
            f"SELECT {', '.join(columns)} FROM {table} a{joins} WHERE a.task_id = ?"
            " GROUP BY a.id ORDER BY a.created_at, a.rowid",
            task,
        )

    def processes_of(self, attempt: object) -> Iterator[tuple[object, ...]]:
        """id, reason, action, status, exit code, dropped, commits before and after, four moments.

        Behind them what the agent left: its session, the prompt, the summary.
        """
        p = "execution_processes:p."
        states = "execution_process_repo_states"
        turns = "coding_agent_turns" if self.has("coding_agent_turns") else "executor_sessions"
        joins, where = "", "p.task_attempt_id = ?"
        if self.has("execution_processes", "session_id"):
            joins = " JOIN sessions s ON s.id = p.session_id"
            where = "s.workspace_id = ?"
        before, after = self.one_of(f"{p}before_head_commit"), self.one_of(f"{p}after_head_commit")
        if self.has(states):
            joins += f" LEFT JOIN {states} h ON h.execution_process_id = p.id"
            before, after = "h.before_head_commit", "h.after_head_commit"
        session = prompt = summary = "NULL"
        if self.has(turns):
            joins += f" LEFT JOIN {turns} c ON c.execution_process_id = p.id"
            session = _first(self._existing(f"{turns}:c.agent_session_id", f"{turns}:c.session_id"))
            prompt, summary = "c.prompt", self.one_of(f"{turns}:c.summary")
        columns = [
            "p.id",
            "p.run_reason",
            "p.executor_action",
            "p.status",
            "p.exit_code",
            self.one_of(f"{p}dropped", f"{p}masked_by_restore"),
            before,
            after,
            "p.started_at",
            "p.completed_at",
            "p.created_at",
            "p.updated_at",
            session,
            prompt,
            summary,
        ]
        return self._rows(
            f"SELECT {', '.join(columns)} FROM execution_processes p{joins} WHERE {where}"
            " GROUP BY p.id ORDER BY p.created_at, p.rowid",
            attempt,
        )

    def merges_of(self, attempt: object) -> Iterator[tuple[object, ...]]:
        """id, type, target, commit, pull request's number, url, status, merged at, sha, created."""
        if not self.has("merges"):
            return iter(())
        key = "workspace_id" if self.has("merges", "workspace_id") else "task_attempt_id"
        return self._rows(
            "SELECT id, merge_type, target_branch_name, merge_commit, pr_number, pr_url, pr_status,"
            f" pr_merged_at, pr_merge_commit_sha, created_at FROM merges WHERE {key} = ?"
            " ORDER BY created_at, rowid",
            attempt,
        )

    def logs_of(self, process: object) -> Sequence[int]:
        """The rows of its log in order; their column `logs` may be read piece by piece."""
        if not self.has("execution_process_logs"):
            return ()
        rows = self.connection.execute(
            "SELECT rowid FROM execution_process_logs WHERE execution_id = ?"
            " AND typeof(logs) IN ('text', 'blob') ORDER BY inserted_at, rowid",
            (process,),
        )
        return array("q", (row for (row,) in rows))  # some have a row for each line

    def log_size(self, process: object) -> int:
        """Bytes of its log, as vibe-kanban counted them."""
        if not self.has("execution_process_logs", "byte_size"):
            return 0
        rows = self._rows(
            "SELECT CAST(total(byte_size) AS INTEGER) FROM execution_process_logs"
            " WHERE execution_id = ?",
            process,
        )
        return sum(int(str(size)) for (size,) in rows)

    def images_of(self, task: object) -> Iterator[tuple[object, ...]]:
        """id, file, original name."""
        if not (self.has("images") and self.has("task_images")):
            return iter(())
        return self._rows(
            "SELECT i.id, i.file_path, i.original_name FROM task_images l"
            " JOIN images i ON i.id = l.image_id WHERE l.task_id = ? ORDER BY l.rowid",
            task,
        )

    def drafts_of(self, attempt: object) -> Iterator[tuple[object, ...]]:
        """The prompt and the variant of a message that was not sent."""
        if self.has("drafts"):
            table, where = "drafts", " AND draft_type = 'follow_up'"
        elif self.has("follow_up_drafts"):
            table, where = "follow_up_drafts", ""
        else:
            return iter(())
        variant = self.one_of(f"{table}:variant")
        return self._rows(
            f"SELECT prompt, {variant} FROM {table} WHERE task_attempt_id = ?{where}", attempt
        )

    def tags(self) -> Iterator[tuple[object, ...]]:
        """id, name, content, created; templates, which came before tags, included."""
        if self.has("tags"):
            return self._rows("SELECT id, tag_name, content, created_at FROM tags ORDER BY rowid")
        if self.has("task_templates"):
            return self._rows(
                "SELECT t.id, lower(replace(coalesce(p.name || '_', '') || t.template_name,"
                " ' ', '_')), t.description, t.created_at FROM task_templates t"
                " LEFT JOIN projects p ON p.id = t.project_id ORDER BY t.rowid"
            )
        return iter(())

    # ------------------------------------------------------------

    def _existing(self, *columns: str) -> list[str]:
        return [found for place in columns if (found := self.one_of(place)) != "NULL"]

    def _rows(self, sql: str, *parameters: object) -> Iterator[tuple[object, ...]]:
        try:
            # All at once: the rows are small, and what reads them asks the connection meanwhile.
            return iter(self.connection.execute(sql, parameters).fetchall())
        except sqlite3.Error as error:
            raise Invalid(
                "path", f"this database has another shape than those of 0.0.9x to 0.0.14x: {error}"
            ) from error


def _first(columns: list[str]) -> str:
    if not columns:
        return "NULL"
    return columns[0] if len(columns) == 1 else f"coalesce({', '.join(columns)})"


def quoted(name: str) -> str:
    """`name` as SQL takes it for one, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'
