"""Everything that Anyon knows about git repositories; nobody else runs `git` or loads pygit2."""
