-- Where the worktree of an attempt is being made, written down before git is asked: the name of the
-- branch, of the project and the place of all worktrees may be others when a new daemon goes on with it.
CREATE TABLE planned_worktrees (
    attempt_id TEXT PRIMARY KEY NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    path       TEXT NOT NULL
);
