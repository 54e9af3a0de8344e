"""Rows of what is to be cleared away, kept for a while, or looked at again."""
