-- Where a person has put a task on the board. A rank orders the tasks of a column as text; '' is
-- that nobody has put it anywhere. labels: a JSON list of texts.
ALTER TABLE tasks ADD COLUMN rank TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN priority TEXT NOT NULL DEFAULT 'none'
    CHECK (priority IN ('none', 'low', 'medium', 'high', 'urgent'));
ALTER TABLE tasks ADD COLUMN labels TEXT NOT NULL DEFAULT '[]';
ALTER TABLE tasks ADD COLUMN archived_at TEXT;
ALTER TABLE task_attempts ADD COLUMN archived_at TEXT;
