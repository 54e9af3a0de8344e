"""Rows of what runs and what it leaves: processes, sessions, questions, launches, merges."""
