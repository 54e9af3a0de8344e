"""Servers on loopback: git over HTTP, GitHub, and how such a program is run."""
