"""Clients of the API that know nothing but its documents."""
