-- What each run of an agent has used, as the agent told it; null is that it did not tell.
-- No foreign keys: what was paid for stays paid for when its task is deleted. The names are those
-- of that moment.
CREATE TABLE usages (
    execution_process_id TEXT PRIMARY KEY NOT NULL,
    task_attempt_id      TEXT NOT NULL,
    task_id              TEXT NOT NULL,
    task_title           TEXT NOT NULL,
    project_id           TEXT NOT NULL,
    project_name         TEXT NOT NULL,
    executor             TEXT NOT NULL,
    model                TEXT,
    input_tokens         INTEGER,
    output_tokens        INTEGER,
    cache_read_tokens    INTEGER,
    cache_write_tokens   INTEGER,
    cost_usd             REAL,
    seconds              REAL NOT NULL,
    ended_at             TEXT NOT NULL
);
CREATE INDEX usages_of_attempt ON usages (task_attempt_id);
CREATE INDEX usages_by_end ON usages (ended_at);
