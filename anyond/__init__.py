"""Anyon: a local daemon that runs coding agents and never loses their work."""

__version__ = "0.1.0"
