"""Rows about the daemon: its start, its restart, its rest."""
