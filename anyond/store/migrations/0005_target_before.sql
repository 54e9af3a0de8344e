-- Where the target was before a direct merge; unknown for those that were imported or are older.
ALTER TABLE merges ADD COLUMN target_before TEXT;
