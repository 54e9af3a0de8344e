"""Curves of the cost of a small request while one thing grows; `make bench-growth`."""
