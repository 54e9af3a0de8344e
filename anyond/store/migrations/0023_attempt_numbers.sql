-- A number for each attempt, for people who name one in a terminal; never given twice.
CREATE TABLE attempt_numbers (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    task_attempt_id TEXT NOT NULL UNIQUE REFERENCES task_attempts (id) ON DELETE CASCADE
);
INSERT INTO attempt_numbers (task_attempt_id)
    SELECT id FROM task_attempts ORDER BY created_at, rowid;
CREATE TRIGGER number_attempt AFTER INSERT ON task_attempts BEGIN
    INSERT INTO attempt_numbers (task_attempt_id) VALUES (NEW.id);
END;
