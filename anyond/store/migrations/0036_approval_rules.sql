-- What a person has allowed for longer than one question.
-- scope: turn, attempt or project; of its owner the id is set, and it goes when that goes.
-- tool_input: the very input that is allowed, as JSON with sorted keys; null is any.
CREATE TABLE approval_rules (
    id                   TEXT PRIMARY KEY NOT NULL,
    scope                TEXT NOT NULL CHECK (scope IN ('turn', 'attempt', 'project')),
    project_id           TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    task_attempt_id      TEXT REFERENCES task_attempts (id) ON DELETE CASCADE,
    execution_process_id TEXT REFERENCES execution_processes (id) ON DELETE CASCADE,
    tool_name            TEXT NOT NULL,
    tool_input           TEXT,
    uses                 INTEGER NOT NULL DEFAULT 0,
    created_at           TEXT NOT NULL
);
CREATE INDEX approval_rules_of_project ON approval_rules (project_id, tool_name);
CREATE INDEX approval_rules_of_attempt ON approval_rules (task_attempt_id)
    WHERE task_attempt_id IS NOT NULL;
CREATE INDEX approval_rules_of_process ON approval_rules (execution_process_id)
    WHERE execution_process_id IS NOT NULL;

-- What clients of the person remember for all of them, as JSON.
CREATE TABLE preferences (
    name  TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);
