-- Going back to an earlier commit and deleting a file are written down before git is asked, too.
-- waits: the rebase has stopped at a conflict, and is somebody's to go on with.
-- snapshot: the state before, which an undoing goes back to.
CREATE TABLE intents_new (
    attempt_id TEXT PRIMARY KEY NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL
               CHECK (kind IN ('rebase', 'rename', 'merge', 'reset', 'delete_file')),
    name       TEXT NOT NULL,
    tip        TEXT NOT NULL,
    onto       TEXT,
    waits      INTEGER NOT NULL DEFAULT 0 CHECK (waits IN (0, 1)),
    snapshot   TEXT,
    created_at TEXT NOT NULL,
    CHECK ((kind IN ('rename', 'delete_file')) = (onto IS NULL))
);
INSERT INTO intents_new (attempt_id, kind, name, tip, onto, created_at)
    SELECT attempt_id, kind, name, tip, onto, created_at FROM intents;
DROP TABLE intents;
ALTER TABLE intents_new RENAME TO intents;
