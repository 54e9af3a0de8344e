"""The choices of a session, and the peculiarities of each agent."""
