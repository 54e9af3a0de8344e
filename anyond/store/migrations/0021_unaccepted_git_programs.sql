-- What a run has changed of the programs that git runs in a repository, and nobody has accepted, also
-- while no project has that repository: one that is added again begins with it.
CREATE TABLE unaccepted_git_programs (
    common_dir  TEXT PRIMARY KEY NOT NULL,
    identity    TEXT NOT NULL,
    accepted    TEXT NOT NULL,
    withheld_by TEXT NOT NULL,
    withheld_at TEXT
);
ALTER TABLE cleanups ADD COLUMN git_programs_withheld INTEGER NOT NULL DEFAULT 0;
