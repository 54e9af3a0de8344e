"""The complete state of a worktree, kept in the repository, and the way back to it."""
