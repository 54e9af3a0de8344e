-- Whether what the setup script of a project leaves running lives as long as the attempt.
ALTER TABLE projects ADD COLUMN keep_services INTEGER NOT NULL DEFAULT 1;
