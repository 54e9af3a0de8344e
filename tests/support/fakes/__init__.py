"""Programs that stand in for others, and speak as the real ones do."""
