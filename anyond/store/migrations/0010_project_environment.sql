-- Variables that a project adds for its agents and scripts: a JSON object, or NULL for none.
ALTER TABLE projects ADD COLUMN environment TEXT;
