"""Installations of vibe-kanban of several ages."""
