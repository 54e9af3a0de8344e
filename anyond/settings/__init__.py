"""The settings of a person: the configuration, profiles of agents, MCP servers, and the options."""
