"""Rows about what agents write, from their pipe to a client."""
