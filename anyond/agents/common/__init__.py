"""Things that all agents have in common: launch and dialogue, variants, entries, and MCP
servers.
"""
