"""Differences between a commit, an index and the files of a checkout."""
