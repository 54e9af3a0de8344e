"""A repository: where it is, its checkouts, its branches and its remotes."""
