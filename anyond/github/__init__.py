"""Talking with GitHub: where it is, what is asked of it, and what its answers mean."""
