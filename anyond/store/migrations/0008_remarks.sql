-- What the next process of an attempt says in its log about what was found outside of any process.
CREATE TABLE remarks (
    id         INTEGER PRIMARY KEY,
    attempt_id TEXT NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    text       TEXT NOT NULL,
    is_error   INTEGER NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX remarks_attempt ON remarks (attempt_id, id);
