"""Frozen values that cross the database, the wire or a machine; nothing here does anything."""
