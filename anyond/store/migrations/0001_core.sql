-- Ids are text UUIDs, moments RFC 3339 text in UTC with milliseconds, JSON is text.
-- Ties of created_at are broken by rowid, which is the order of insertion.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

CREATE TABLE projects (
    id             TEXT PRIMARY KEY NOT NULL,
    name           TEXT NOT NULL CHECK (name <> ''),
    git_repo_path  TEXT NOT NULL UNIQUE CHECK (git_repo_path <> ''),
    setup_script   TEXT,
    dev_script     TEXT,
    cleanup_script TEXT,
    copy_files     TEXT,
    created_at     TEXT NOT NULL,
    updated_at     TEXT NOT NULL
);
CREATE INDEX projects_newest ON projects (created_at);

CREATE TABLE tasks (
    id                  TEXT PRIMARY KEY NOT NULL,
    project_id          TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    title               TEXT NOT NULL CHECK (title <> ''),
    description         TEXT,
    status              TEXT NOT NULL DEFAULT 'todo'
                        CHECK (status IN ('todo', 'inprogress', 'inreview', 'done', 'cancelled')),
    parent_task_attempt TEXT REFERENCES task_attempts (id) ON DELETE SET NULL,
    created_at          TEXT NOT NULL,
    updated_at          TEXT NOT NULL
);
CREATE INDEX tasks_of_project ON tasks (project_id, created_at);
CREATE INDEX tasks_of_parent ON tasks (parent_task_attempt)
    WHERE parent_task_attempt IS NOT NULL;

CREATE TABLE task_attempts (
    id                 TEXT PRIMARY KEY NOT NULL,
    task_id            TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    container_ref      TEXT,
    branch             TEXT NOT NULL,
    target_branch      TEXT NOT NULL,
    executor           TEXT NOT NULL,
    worktree_deleted   INTEGER NOT NULL DEFAULT 0 CHECK (worktree_deleted IN (0, 1)),
    setup_completed_at TEXT,
    base_commit        TEXT,
    created_at         TEXT NOT NULL,
    updated_at         TEXT NOT NULL
);
CREATE INDEX attempts_of_task ON task_attempts (task_id, created_at);
CREATE INDEX attempt_ids_of_task ON task_attempts (task_id, id);
CREATE INDEX attempts_newest ON task_attempts (created_at);
CREATE INDEX attempts_by_container ON task_attempts (container_ref)
    WHERE container_ref IS NOT NULL;

CREATE TABLE execution_processes (
    -- The rowid by a name, so that an index can hold it.
    number             INTEGER PRIMARY KEY,
    id                 TEXT NOT NULL UNIQUE,
    task_attempt_id    TEXT NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    run_reason         TEXT NOT NULL
                       CHECK (run_reason IN
                              ('setupscript', 'cleanupscript', 'codingagent', 'devserver')),
    executor_action    TEXT NOT NULL,
    before_head_commit TEXT,
    after_head_commit  TEXT,
    status             TEXT NOT NULL DEFAULT 'running'
                       CHECK (status IN ('running', 'completed', 'failed', 'killed')),
    exit_code          INTEGER,
    dropped            INTEGER NOT NULL DEFAULT 0 CHECK (dropped IN (0, 1)),
    -- Why somebody wants it stopped: an intention that must outlive the daemon.
    stop_reason        TEXT,
    started_at         TEXT NOT NULL,
    completed_at       TEXT,
    created_at         TEXT NOT NULL,
    updated_at         TEXT NOT NULL,
    CHECK ((status = 'running') = (completed_at IS NULL))
);
CREATE INDEX processes_of_attempt ON execution_processes (task_attempt_id, created_at);
-- The newest run of an attempt, and how it ended, without a look at the row: for lists of tasks.
CREATE INDEX runs_of_attempt ON execution_processes
    (task_attempt_id, created_at, number, status, run_reason, dropped)
    WHERE run_reason <> 'devserver' AND dropped = 0;
CREATE INDEX processes_running ON execution_processes (created_at) WHERE status = 'running';
-- One writer per worktree, whatever the code above believes.
CREATE UNIQUE INDEX one_writer_of_worktree ON execution_processes (task_attempt_id)
    WHERE status = 'running' AND run_reason <> 'devserver';

CREATE TABLE executor_sessions (
    execution_process_id TEXT PRIMARY KEY NOT NULL
                         REFERENCES execution_processes (id) ON DELETE CASCADE,
    task_attempt_id      TEXT NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    session_id           TEXT,
    prompt               TEXT NOT NULL,
    summary              TEXT,
    -- How the agent was started: what a replay of its log needs, whatever the settings are then.
    turn                 TEXT
);
CREATE INDEX sessions_of_attempt ON executor_sessions (task_attempt_id);

CREATE TABLE approvals (
    id                   TEXT PRIMARY KEY NOT NULL,
    execution_process_id TEXT NOT NULL REFERENCES execution_processes (id) ON DELETE CASCADE,
    task_attempt_id      TEXT NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    call                 TEXT NOT NULL,
    tool_name            TEXT NOT NULL,
    tool_input           TEXT NOT NULL,
    status               TEXT NOT NULL
                         CHECK (status IN ('pending', 'approved', 'denied', 'timed_out')),
    reason               TEXT,
    answers              TEXT,
    created_at           TEXT NOT NULL,
    timeout_at           TEXT NOT NULL,
    responded_at         TEXT,
    UNIQUE (execution_process_id, call),
    CHECK ((status = 'pending') = (responded_at IS NULL))
);
CREATE INDEX approvals_pending ON approvals (created_at) WHERE status = 'pending';
CREATE INDEX approvals_of_attempt ON approvals (task_attempt_id);

CREATE TABLE merges (
    id                  TEXT PRIMARY KEY NOT NULL,
    task_attempt_id     TEXT NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    merge_type          TEXT NOT NULL CHECK (merge_type IN ('direct', 'pr')),
    target_branch_name  TEXT NOT NULL,
    merge_commit        TEXT,
    pr_number           INTEGER,
    pr_url              TEXT,
    pr_status           TEXT CHECK (pr_status IN ('open', 'merged', 'closed', 'unknown')),
    pr_merged_at        TEXT,
    pr_merge_commit_sha TEXT,
    created_at          TEXT NOT NULL,
    CHECK (merge_type <> 'direct'
           OR (merge_commit IS NOT NULL AND pr_number IS NULL AND pr_url IS NULL
               AND pr_status IS NULL)),
    CHECK (merge_type <> 'pr'
           OR (merge_commit IS NULL AND pr_number IS NOT NULL AND pr_url IS NOT NULL
               AND pr_status IS NOT NULL))
);
CREATE INDEX merges_of_attempt ON merges (task_attempt_id, created_at);

-- No foreign keys: a change outlives what it speaks of.
CREATE TABLE changes (
    position   INTEGER PRIMARY KEY AUTOINCREMENT,
    at         TEXT NOT NULL,
    kind       TEXT NOT NULL,
    project_id TEXT,
    attempt_id TEXT,
    key        TEXT,
    dropped    INTEGER NOT NULL DEFAULT 0,
    data       BLOB NOT NULL
);

-- No foreign keys: a worktree waits to be removed after its attempt is gone.
CREATE TABLE cleanups (
    id            TEXT PRIMARY KEY NOT NULL,
    worktree_path TEXT NOT NULL,
    repo_path     TEXT NOT NULL,
    attempt_id    TEXT NOT NULL,
    branch        TEXT,
    created_at    TEXT NOT NULL
);
