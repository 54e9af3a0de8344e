"""Dialogues of agents, recorded and live, and how they are driven."""
