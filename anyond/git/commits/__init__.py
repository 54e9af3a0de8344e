"""Commits of work, and the means against losing one."""
