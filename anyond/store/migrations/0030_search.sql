-- What can be searched for, a row for each text, in the order in which it was found.
-- entry: the index of the entry in the conversation of its execution.
CREATE TABLE search_texts (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    kind                 TEXT NOT NULL CHECK (kind IN ('task', 'message', 'command', 'path')),
    task_id              TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    task_attempt_id      TEXT REFERENCES task_attempts (id) ON DELETE CASCADE,
    execution_process_id TEXT REFERENCES execution_processes (id) ON DELETE CASCADE,
    entry                INTEGER,
    at                   TEXT NOT NULL,
    text                 TEXT NOT NULL
);
CREATE INDEX search_texts_of_task ON search_texts (task_id, kind);
CREATE INDEX search_texts_of_attempt ON search_texts (task_attempt_id)
    WHERE task_attempt_id IS NOT NULL;
CREATE INDEX search_texts_of_execution ON search_texts (execution_process_id)
    WHERE execution_process_id IS NOT NULL;
CREATE VIRTUAL TABLE search_index USING fts5 (
    text, content = 'search_texts', content_rowid = 'id',
    tokenize = "unicode61 remove_diacritics 2 tokenchars '_'"
);
CREATE TRIGGER search_text_added AFTER INSERT ON search_texts BEGIN
    INSERT INTO search_index (rowid, text) VALUES (NEW.id, NEW.text);
END;
CREATE TRIGGER search_text_removed AFTER DELETE ON search_texts BEGIN
    INSERT INTO search_index (search_index, rowid, text) VALUES ('delete', OLD.id, OLD.text);
END;
