"""What a person has set: the configuration, profiles of agents, MCP servers, and the options."""
