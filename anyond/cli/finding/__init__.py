"""Finding what a command is about: the daemon, a repository, a project, an attempt, an agent."""
