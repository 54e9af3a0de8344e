"""Permissions that an agent asks for, and how each is answered."""
