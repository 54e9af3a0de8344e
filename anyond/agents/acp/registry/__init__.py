"""The agents that are known by name, and the format of the protocol's registry."""
