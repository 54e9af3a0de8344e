"""Cutting the power of a daemon at work, and looking at what the disk still has."""
