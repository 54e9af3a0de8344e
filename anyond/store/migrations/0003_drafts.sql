-- Messages that a person is writing. A row outlives what was in it, so that versions never repeat:
--   edited   it is as the columns say
--   queued   the same, and it is to be sent as soon as the agent is free
--   sent     a process took it; the text is kept for the case that this process never starts
--   deleted  there is none
CREATE TABLE drafts (
    task_attempt_id  TEXT NOT NULL REFERENCES task_attempts (id) ON DELETE CASCADE,
    draft_type       TEXT NOT NULL CHECK (draft_type IN ('follow_up', 'retry')),
    state            TEXT NOT NULL CHECK (state IN ('edited', 'queued', 'sent', 'deleted')),
    retry_process_id TEXT REFERENCES execution_processes (id) ON DELETE CASCADE,
    sent_as          TEXT REFERENCES execution_processes (id) ON DELETE SET NULL,
    prompt           TEXT NOT NULL,
    variant          TEXT,
    image_ids        TEXT NOT NULL,
    version          INTEGER NOT NULL CHECK (version > 0),
    created_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    PRIMARY KEY (task_attempt_id, draft_type),
    CHECK (state NOT IN ('queued', 'sent') OR draft_type = 'follow_up'),
    CHECK (draft_type = 'follow_up' OR state = 'deleted' OR retry_process_id IS NOT NULL)
);
CREATE INDEX drafts_queued ON drafts (updated_at) WHERE state = 'queued';
CREATE INDEX drafts_by_process ON drafts (retry_process_id) WHERE retry_process_id IS NOT NULL;
CREATE INDEX drafts_by_sent ON drafts (sent_as) WHERE sent_as IS NOT NULL;
