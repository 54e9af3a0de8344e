"""Sockets and connections: listening, letting in, reading, writing, and the end."""
