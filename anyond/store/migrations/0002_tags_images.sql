CREATE TABLE tags (
    id          TEXT PRIMARY KEY NOT NULL,
    tag_name    TEXT NOT NULL CHECK (tag_name <> ''),
    -- The name as it is compared: SQLite itself knows upper and lower case of ASCII only.
    folded_name TEXT NOT NULL UNIQUE,
    content     TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
);
CREATE INDEX tags_newest ON tags (created_at);

CREATE TABLE images (
    id            TEXT PRIMARY KEY NOT NULL,
    file_name     TEXT NOT NULL UNIQUE,
    original_name TEXT NOT NULL,
    mime_type     TEXT NOT NULL,
    size_bytes    INTEGER NOT NULL,
    hash          TEXT NOT NULL UNIQUE,
    -- When somebody last had to do with it: an upload, or a task that no longer shows it.
    used_at       TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    updated_at    TEXT NOT NULL
);

CREATE TABLE task_images (
    id         TEXT PRIMARY KEY NOT NULL,
    task_id    TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    image_id   TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    UNIQUE (task_id, image_id)
);
CREATE INDEX tasks_of_image ON task_images (image_id);

-- A trigger, because tasks also go by cascade. The time of grace of an image begins anew when a
-- task lets go of it.
CREATE TRIGGER image_let_go AFTER DELETE ON task_images
BEGIN
    UPDATE images SET used_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = OLD.image_id;
END;
