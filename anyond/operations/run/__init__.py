"""Runs: their start, their order, and their end."""
