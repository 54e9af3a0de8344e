"""Attempts for tests of operations, made in a line."""
