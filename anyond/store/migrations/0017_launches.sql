-- That a program was handed to a shim: from here on it may have run, whatever its files say. The key
-- is what the shim wants to hear from a daemon; empty for shims that are older than keys.
CREATE TABLE launches (
    execution_process_id TEXT PRIMARY KEY NOT NULL
                         REFERENCES execution_processes (id) ON DELETE CASCADE,
    key                  TEXT NOT NULL,
    launched_at          TEXT NOT NULL
) WITHOUT ROWID;
