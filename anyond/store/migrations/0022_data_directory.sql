-- Where this database lies, to know a copy of its data directory from one that was moved; and which
-- attempts have worktrees that are another data directory's, of which this one is a copy.
CREATE TABLE data_directory (
    only  INTEGER PRIMARY KEY NOT NULL CHECK (only = 1),
    path  TEXT NOT NULL,
    inode INTEGER NOT NULL
);
CREATE TABLE attempts_elsewhere (
    attempt_id TEXT PRIMARY KEY NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    path       TEXT NOT NULL,
    inode      INTEGER NOT NULL
);
