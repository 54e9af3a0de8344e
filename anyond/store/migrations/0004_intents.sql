-- What git is about to do to the branch of an attempt, written down before git is asked.
-- tip: the commit of the branch before. name: what the row of the attempt shall say afterwards.
CREATE TABLE intents (
    attempt_id TEXT PRIMARY KEY NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('rebase', 'rename')),
    name       TEXT NOT NULL,
    tip        TEXT NOT NULL,
    onto       TEXT,
    created_at TEXT NOT NULL,
    CHECK ((kind = 'rebase') = (onto IS NOT NULL))
);

-- No foreign keys: the snapshots of an attempt outlive it by a while.
CREATE TABLE expiries (
    attempt_id TEXT PRIMARY KEY NOT NULL,
    repo_path  TEXT NOT NULL,
    due_at     TEXT NOT NULL
);
