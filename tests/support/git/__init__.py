"""Git in tests: repositories, programs that git runs, and a git that is killed."""
