"""How each agent speaks: pure dialogues from bytes to events, one file an agent."""
