"""The tool calls of agents, read from whatever words an agent uses."""
