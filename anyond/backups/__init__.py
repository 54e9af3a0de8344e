"""Backups of everything that one daemon has, to a directory, and back."""
