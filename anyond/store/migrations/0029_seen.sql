-- Up to which position of the change log a person has seen an attempt, and the position of the last
-- thing in it that concerns a person: the end of a run, or a question. What was before counts as seen.
CREATE TABLE seen_positions (
    task_attempt_id TEXT PRIMARY KEY NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    moved           INTEGER NOT NULL DEFAULT 0,
    seen            INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX unseen_attempts ON seen_positions (task_attempt_id) WHERE moved > seen;
CREATE TRIGGER attempt_moved AFTER INSERT ON changes
WHEN NEW.kind IN ('process_completed', 'approval_requested') BEGIN
    INSERT INTO seen_positions (task_attempt_id, moved)
        SELECT id, NEW.position FROM task_attempts WHERE id = NEW.attempt_id
        ON CONFLICT (task_attempt_id) DO UPDATE SET moved = excluded.moved;
END;
-- For the inbox: attempts of which some run has failed.
CREATE INDEX processes_failed ON execution_processes (task_attempt_id)
    WHERE status = 'failed' AND dropped = 0;
