"""Operations on the branch of an attempt: commits, names, merges, rebases, pull requests."""
