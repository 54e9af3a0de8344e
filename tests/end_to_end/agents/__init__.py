"""Agents from a client's side: scripted ones, and real ones from npm and PyPI."""
