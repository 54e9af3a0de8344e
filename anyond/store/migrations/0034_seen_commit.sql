-- The commit that the last run of an attempt had left when a person looked.
ALTER TABLE seen_positions ADD COLUMN seen_commit TEXT;
