-- Which processes a launch has become, as the daemon has seen them: what it may kill when their shim is
-- dead. NULL if it has not (yet), as for those of earlier versions until it is connected to their shim.
-- Start times are in the notation of the system, and pids of another boot mean nothing.
ALTER TABLE launches ADD COLUMN boot_id TEXT;
ALTER TABLE launches ADD COLUMN shim_pid INTEGER;
ALTER TABLE launches ADD COLUMN shim_started TEXT;
ALTER TABLE launches ADD COLUMN program_pid INTEGER;
ALTER TABLE launches ADD COLUMN program_started TEXT;
