-- Tokens that a person has made for programs, and what agents have made by theirs. Of a token only
-- its SHA-256 is kept. Lists are JSON; NULL in projects are all of them.
CREATE TABLE tokens (
    id           TEXT PRIMARY KEY NOT NULL,
    name         TEXT NOT NULL,
    hash         TEXT NOT NULL UNIQUE,
    scopes       TEXT NOT NULL,
    projects     TEXT,
    created_at   TEXT NOT NULL,
    expires_at   TEXT,
    last_used_at TEXT,
    revoked_at   TEXT
) WITHOUT ROWID;

-- The secret that the tokens of executions are derived from; one row.
CREATE TABLE access_secret (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    secret TEXT NOT NULL
);

-- The tasks that agents have made by themselves: below which task of a person, and how deep.
CREATE TABLE agent_tasks (
    task_id              TEXT PRIMARY KEY NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    execution_process_id TEXT NOT NULL,
    root_task_id         TEXT NOT NULL,
    depth                INTEGER NOT NULL,
    created_at           TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX agent_tasks_by_root ON agent_tasks (root_task_id, created_at);
