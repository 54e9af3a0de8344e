"""Merging and rebasing: both happen as a whole or not at all."""
