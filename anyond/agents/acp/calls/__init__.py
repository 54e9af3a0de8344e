"""What a tool call of an agent says, however the agent words it."""
