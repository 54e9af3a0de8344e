"""Rows about the answers to many clients, or about many rows."""
