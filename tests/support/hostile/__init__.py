"""Requests that no client of good will sends, and a daemon to send them to."""
