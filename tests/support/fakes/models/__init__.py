"""Scripted models, and a server of tools, for real agents."""
