"""Text for terminals and pipes from what the daemon answers; pure, but for the pager."""
