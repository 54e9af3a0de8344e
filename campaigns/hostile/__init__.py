"""Requests that no client of good will sends, over all routes that the API declares."""
