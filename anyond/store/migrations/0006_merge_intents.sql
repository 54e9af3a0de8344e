-- A merge too is written down before git is asked. SQLite changes no check of a table that is there.
CREATE TABLE intents_new (
    attempt_id TEXT PRIMARY KEY NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('rebase', 'rename', 'merge')),
    name       TEXT NOT NULL,
    tip        TEXT NOT NULL,
    onto       TEXT,
    created_at TEXT NOT NULL,
    CHECK ((kind = 'rename') = (onto IS NULL))
);
INSERT INTO intents_new SELECT attempt_id, kind, name, tip, onto, created_at FROM intents;
DROP TABLE intents;
ALTER TABLE intents_new RENAME TO intents;
