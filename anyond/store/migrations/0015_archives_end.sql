-- Up to this process, archives of entries may lack the line that says that they are whole.
INSERT INTO meta (key, value)
    SELECT 'archives_without_end', COALESCE(MAX(number), 0) FROM execution_processes;
