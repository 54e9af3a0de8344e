-- Which programs of a repository git may run: what a person has left or accepted, and since which run
-- something else waits to be accepted.
CREATE TABLE git_programs (
    project_id  TEXT PRIMARY KEY NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    common_dir  TEXT NOT NULL,
    accepted    TEXT NOT NULL,
    always      INTEGER NOT NULL DEFAULT 0,
    withheld_by TEXT,
    withheld_at TEXT
);
CREATE TABLE git_programs_of_worktrees (
    attempt_id  TEXT PRIMARY KEY NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    accepted    TEXT NOT NULL,
    withheld    INTEGER NOT NULL DEFAULT 0
);
ALTER TABLE task_attempts ADD COLUMN git_programs_withheld INTEGER NOT NULL DEFAULT 0;
