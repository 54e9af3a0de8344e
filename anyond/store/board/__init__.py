"""Rows that a person makes: projects, tasks, attempts, drafts, images, tags."""
