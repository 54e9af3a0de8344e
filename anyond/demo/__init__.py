"""The whole job for a newcomer: a built-in agent, and a tour with it."""
