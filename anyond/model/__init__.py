"""Frozen values that cross the database, the wire or a machine, and refusals; nothing here does
anything."""
