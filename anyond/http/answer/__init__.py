"""Answers: the envelope of values and of refusals, and files that are sent."""
