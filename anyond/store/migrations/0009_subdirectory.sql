-- A project may be a directory inside its repository; '' is the top.
ALTER TABLE projects ADD COLUMN subdirectory TEXT NOT NULL DEFAULT '';
