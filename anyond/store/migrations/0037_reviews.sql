-- Comments of a person on what an attempt has done: they collect, and go to the agent as one message.
CREATE TABLE reviews (
    id              TEXT PRIMARY KEY NOT NULL,
    task_attempt_id TEXT NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    created_at      TEXT NOT NULL,
    submitted_at    TEXT,
    submitted_as    TEXT CHECK (submitted_as IN ('message', 'queue', 'steer')),
    CHECK ((submitted_at IS NULL) = (submitted_as IS NULL))
);
CREATE INDEX reviews_of_attempt ON reviews (task_attempt_id);
CREATE UNIQUE INDEX one_open_review ON reviews (task_attempt_id) WHERE submitted_at IS NULL;

-- path: '' is about no file. side: the lines are as they were, or as they are. lines: their text.
CREATE TABLE review_comments (
    id         TEXT PRIMARY KEY NOT NULL,
    review_id  TEXT NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
    path       TEXT NOT NULL,
    side       TEXT NOT NULL CHECK (side IN ('old', 'new')),
    start_line INTEGER,
    end_line   INTEGER,
    lines      TEXT NOT NULL,
    anchor     TEXT,
    body       TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX comments_of_review ON review_comments (review_id);

-- The version of a file that a person has marked as seen.
CREATE TABLE files_seen (
    task_attempt_id TEXT NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    path            TEXT NOT NULL,
    version         TEXT NOT NULL,
    PRIMARY KEY (task_attempt_id, path)
);
