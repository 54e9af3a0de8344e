-- Whose files go: those of rows that were deleted. A file that no row is about is never deleted.
CREATE TABLE gone (
    kind TEXT NOT NULL CHECK (kind IN ('spool', 'image')),
    name TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;

-- Triggers, because rows also go by cascade.
CREATE TRIGGER spool_gone AFTER DELETE ON execution_processes
BEGIN
    INSERT OR IGNORE INTO gone (kind, name) VALUES ('spool', OLD.id);
END;
CREATE TRIGGER spool_back AFTER INSERT ON execution_processes
BEGIN
    DELETE FROM gone WHERE kind = 'spool' AND name = NEW.id;
END;
CREATE TRIGGER image_gone AFTER DELETE ON images
BEGIN
    INSERT OR IGNORE INTO gone (kind, name) VALUES ('image', OLD.file_name);
END;
CREATE TRIGGER image_back AFTER INSERT ON images
BEGIN
    DELETE FROM gone WHERE kind = 'image' AND name = NEW.file_name;
END;

-- Files that no row is about, and the day (see days.py) on which they were seen first.
CREATE TABLE unknown_files (
    kind      TEXT NOT NULL CHECK (kind IN ('spool', 'image')),
    name      TEXT NOT NULL,
    first_day INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;

-- Deadlines of days hold by the clock and by days that were counted, so that no jump of the clock
-- decides them.
ALTER TABLE expiries ADD COLUMN due_day INTEGER NOT NULL DEFAULT 30;
ALTER TABLE images ADD COLUMN unused_day INTEGER;
CREATE TRIGGER image_used AFTER UPDATE OF used_at ON images
BEGIN
    UPDATE images SET unused_day = NULL WHERE id = NEW.id;
END;

-- Seconds that a daemon was there while it waited for an answer.
ALTER TABLE approvals ADD COLUMN waited_s REAL NOT NULL DEFAULT 0;
