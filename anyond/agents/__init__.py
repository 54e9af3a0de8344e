"""Agents and their protocols: pure dialogues from bytes to events, one file an agent."""
